# What jq 1.6 does differently from jaq's own library, or says in other words.
def shown: tojson | if length > 14 then .[:11] + "..." else . end;
def named: "\(type) (\(shown))";
def keys: if type == "object" or type == "array" then [keys_unsorted[]] | sort else error("\(named) has no keys") end;
def length: if type == "boolean" then error("\(named) has no length") else native_length end;
def tonumber:
    if type == "number" then .
  elif type == "string" then . as $s
    | try (fromjson | if type == "number" then . else error("") end) catch error("Cannot be parsed as a number: \($s)")
  else error("\(named) cannot be parsed as a number") end;
def startswith($s):
  if type == "string" and ($s | type) == "string" then native_startswith($s) else error("startswith() requires string inputs") end;
def endswith($s):
  if type == "string" and ($s | type) == "string" then native_endswith($s) else error("endswith() requires string inputs") end;
def ltrimstr($s): if type == "string" and ($s | type) == "string" then native_ltrimstr($s) else . end;
def rtrimstr($s): if type == "string" and ($s | type) == "string" then native_rtrimstr($s) else . end;
def has($k):
    if (type == "object" and ($k | type) == "string") or (type == "array" and ($k | type) == "number") then native_has($k)
  else error("Cannot check whether \(type) has a \(if ($k | type) == "string" then "string" else $k | type end) key") end;
def arrayed: if type == "array" then . else error("\(named) cannot be sorted, as it is not an array") end;
def sort: arrayed | native_sort;
def sort_by(f): arrayed | native_sort_by(f);
def group_by(f): arrayed | native_group_by(f);
def unique_by(f): [group_by(f)[] | .[0]];
def unique: unique_by(.);
def matchable: if type == "string" then . else error("\(named) cannot be matched, as it is not a string") end;
def test(re): matchable | test(re; "");
def match(re): matchable | match(re; "");
def capture(re): matchable | capture(re; "");
def contains($b):
  if type == ($b | type) then native_contains($b)
  else error("\(named) and \($b | named) cannot have their containment checked") end;
def inside($b): . as $a | $b | contains($a);
def join($s):
  reduce .[] as $x (null;
    (if . == null then "" else . + $s end)
    + ($x | if . == null then "" elif type == "boolean" or type == "number" then tojson else . end)) // "";
def from_entries:
  reduce .[] as $e ({};
    . + {($e | if .key == null then .k // .name // .Name // .K // .Key else .key end
          | if type == "string" then . else tojson end):
         ($e | if has("value") then .value elif has("v") then .v else .Value end)});
def with_entries(f): to_entries | map(f) | from_entries;
def ascii: [.] | implode;
def leaf_paths: paths(scalars);
def localtime: gmtime;
def strflocaltime($f): strftime($f);
def isvalid(f): try (f | true) catch false;
def index($i): indices($i) | .[0];
def rindex($i): indices($i) | .[-1:][0];
def tostream: path(def r: (.[]? | r), .; r) as $p
  | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def input_line_number: 0;
def input_filename: null;
def INDEX(s; f): reduce s as $r ({}; .[$r | f | tostring] |= $r);
def INDEX(f): INDEX(.[]; f);
def IN(s): any(s == .; .);
def IN(a; b): any(a == b; .);
def @json: tojson;
def @text: tostring;
def @csv:
  if type != "array" then error("\(named) cannot be csv-formatted, only an array can be") else
  map(if type == "string" then "\"" + (split("\"") | join("\"\"")) + "\"" elif . == null then ""
      elif type == "number" or type == "boolean" then tojson else error("\(named) is not valid in a csv row") end)
  | join(",") end;
def @tsv:
  if type != "array" then error("\(named) cannot be tsv-formatted, only an array can be") else
  map(if type == "string" then split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n")
          | split("\r") | join("\\r")
      elif . == null then "" elif type == "number" or type == "boolean" then tojson
      else error("\(named) is not valid in a tsv row") end)
  | join("\t") end;
def @sh:
  [if type == "array" then .[] else . end
   | if type == "string" then "'\(split("'") | join("'\\''"))'"
     elif type == "array" or type == "object" then error("\(named) can not be escaped for shell") else tojson end]
  | join(" ");
def env: $ENV;
def native_less($k):
    if type == "object" then to_entries | map(select(.key != $k)) | from_entries
  elif type == "array" and ($k | type) == "number" then
    (if $k < 0 then $k + native_length else $k end) as $i
    | if $i < 0 or $i >= native_length then . else .[:$i] + .[$i + 1:] end
  elif type == "array" and ($k | type) == "object" then
    native_length as $n | .[:($k.start // 0)] + .[($k.end // $n):]
  elif type == "null" then .
  else error("Cannot delete field at \(if type == "array" then "array" else "object" end) index of \(type)") end;
def native_without($p):
    if ($p | native_length) == 0 then null
  elif ($p | native_length) == 1 then native_less($p[0])
  elif . == null or .[$p[0]] == null then .
  else .[$p[0]] |= native_without($p[1:]) end;
def delpaths($paths): reduce ($paths | sort | reverse)[] as $p (.; native_without($p));
def del(f): delpaths([path(f)]);
