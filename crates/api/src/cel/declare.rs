//! Which functions are there, for which types?
//!
//! Source: cel-go `common/stdlib/standard.go`, `ext/{strings,sets,lists}.go`, `cel/library.go`; `k8s.io/apiserver/pkg/cel/library`, as
//! `pkg/cel/environment/base.go` puts them together for what is new in 1.34: only what 1.33 knew too.

use std::rc::Rc;

use super::types::{Mapping, Type};

/// A function's name, then its overloads, methods with a dot before them. `A` and `B` are any types; `q` and the like are below.
const FUNCTIONS: &str = "
_?_:_ (b,A,A)A
_&&_ (b,b)b
_||_ (b,b)b
!_ (b)b
@not_strictly_false (b)b
_==_ (A,A)b
_!=_ (A,A)b
_+_ (y,y)y (d,d)d (p,p)p (p,t)t (t,p)t (i,i)i ([A,[A)[A (s,s)s (u,u)u
_-_ (d,d)d (p,p)p (i,i)i (t,p)t (t,t)p (u,u)u
_*_ (d,d)d (i,i)i (u,u)u
_/_ (d,d)d (i,i)i (u,u)u
_%_ (i,i)i (u,u)u
-_ (d)d (i)i
@in (A,[A)b (A,{A,B})b
_[_] ([A,i)A ({A,B},A)B (o[A,i)oA (o{A,B},A)oB
_[?_] ([A,i)oA (o[A,i)oA ({A,B},A)oB (o{A,B},A)oB
_<_ (b,b)b (i,i)b (i,d)b (i,u)b (u,u)b (u,d)b (u,i)b (d,d)b (d,i)b (d,u)b (s,s)b (y,y)b (t,t)b (p,p)b
_<=_ (b,b)b (i,i)b (i,d)b (i,u)b (u,u)b (u,d)b (u,i)b (d,d)b (d,i)b (d,u)b (s,s)b (y,y)b (t,t)b (p,p)b
_>_ (b,b)b (i,i)b (i,d)b (i,u)b (u,u)b (u,d)b (u,i)b (d,d)b (d,i)b (d,u)b (s,s)b (y,y)b (t,t)b (p,p)b
_>=_ (b,b)b (i,i)b (i,d)b (i,u)b (u,u)b (u,d)b (u,i)b (d,d)b (d,i)b (d,u)b (s,s)b (y,y)b (t,t)b (p,p)b
size (y)i .(y)i ([A)i .([A)i ({A,B})i .({A,B})i (s)i .(s)i
type (A)T
bool (b)b (s)b
bytes (y)y (s)y
double (d)d (i)d (s)d (u)d
duration (p)p (i)p (s)p
dyn (A)*
int (i)i (d)i (p)i (s)i (t)i (u)i
string (s)s (b)s (y)s (d)s (p)s (i)s (t)s (u)s (a)s (c)s
timestamp (t)t (i)t (s)t
uint (u)u (d)u (i)u (s)u
contains .(s,s)b
endsWith .(s,s)b
startsWith .(s,s)b
matches (s,s)b .(s,s)b
getFullYear .(t)i .(t,s)i
getMonth .(t)i .(t,s)i
getDayOfYear .(t)i .(t,s)i
getDayOfMonth .(t)i .(t,s)i
getDate .(t)i .(t,s)i
getDayOfWeek .(t)i .(t,s)i
getHours .(t)i .(t,s)i .(p)i
getMinutes .(t)i .(t,s)i .(p)i
getSeconds .(t)i .(t,s)i .(p)i
getMilliseconds .(t)i .(t,s)i .(p)i
optional.of (A)oA
optional.ofNonZeroValue (A)oA
optional.none ()oA
value .(oA)A
hasValue .(oA)b
or .(oA,oA)oA
orValue .(oA,A)A
charAt .(s,i)s
indexOf .(s,s)i .(s,s,i)i .([A,A)i
lastIndexOf .(s,s)i .(s,s,i)i .([A,A)i
lowerAscii .(s)s
upperAscii .(s)s
replace .(s,s,s)s .(s,s,s,i)s
split .(s,s)[s .(s,s,i)[s
substring .(s,i)s .(s,i,i)s
trim .(s)s
format .(s,[*)s
strings.quote (s)s
join .([s)s .([s,s)s
sets.contains ([A,[A)b
sets.equivalent ([A,[A)b
sets.intersects ([A,[A)b
isSorted .([i)b .([d)b .([b)b .([s)b .([u)b .([p)b .([t)b .([y)b
sum .([i)i .([d)d .([u)u .([p)p
max .([i)i .([d)d .([b)b .([s)s .([u)u .([p)p .([t)t .([y)y
min .([i)i .([d)d .([b)b .([s)s .([u)u .([p)p .([t)t .([y)y
first .([A)oA
last .([A)oA
find .(s,s)s
findAll .(s,s)[s .(s,s,i)[s
url (s)l
isURL (s)b
getScheme .(l)s
getHost .(l)s
getHostname .(l)s
getPort .(l)s
getEscapedPath .(l)s
getQuery .(l){s,[s}
quantity (s)q
isQuantity (s)b
sign (q)i
isGreaterThan .(q,q)b .(v,v)b
isLessThan .(q,q)b .(v,v)b
compareTo .(q,q)i .(v,v)i
asApproximateFloat .(q)d
asInteger .(q)i
isInteger .(q)b
add .(q,q)q .(q,i)q
sub .(q,q)q .(q,i)q
ip (s)a .(c)a
family .(a)i
ip.isCanonical (s)b
isUnspecified .(a)b
isLoopback .(a)b
isLinkLocalMulticast .(a)b
isLinkLocalUnicast .(a)b
isGlobalUnicast .(a)b
isIP (s)b
cidr (s)c
containsIP .(c,s)b .(c,a)b
containsCIDR .(c,s)b .(c,c)b
prefixLength .(c)i
masked .(c)c
isCIDR (s)b
format.dns1123Label ()f
format.dns1123Subdomain ()f
format.dns1035Label ()f
format.qualifiedName ()f
format.dns1123LabelPrefix ()f
format.dns1123SubdomainPrefix ()f
format.dns1035LabelPrefix ()f
format.labelValue ()f
format.uri ()f
format.uuid ()f
format.byte ()f
format.date ()f
format.datetime ()f
format.named (s)of
validate .(f,s)o[s
semver (s)v (s,b)v
isSemver (s)b (s,b)b
major .(v)i
minor .(v)i
patch .(v)i
path .(z,s)x
group .(z,s)g
serviceAccount .(z,s,s)z
resource .(g,s)r
subresource .(r,s)r
namespace .(r,s)r
name .(r,s)r
fieldSelector .(r,s)r
labelSelector .(r,s)r
check .(x,s)k .(r,s)k
allowed .(k)b
reason .(k)s
errored .(k)b
error .(k)s
";

/// One way to call a function.
pub(super) struct Overload {
    pub(super) is_member: bool,
    pub(super) args: Vec<Type>,
    pub(super) result: Type,
}

/// The ways to call a function, if there is one of this name. Each time its `A` and `B` are types that nothing is known of.
pub(super) fn overloads(name: &str, mapping: &mut Mapping) -> Option<Vec<Overload>> {
    let line = FUNCTIONS.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    let read = |text: &str, mapping: &mut Mapping| {
        let (args, result) = text.trim_start_matches('.').strip_prefix('(')?.rsplit_once(')')?;
        let mut reader = Reader { rest: args, params: [mapping.fresh(), mapping.fresh()] };
        let mut types = Vec::new();
        while !reader.rest.is_empty() {
            types.push(reader.read());
            reader.rest = reader.rest.trim_start_matches(',');
        }
        reader.rest = result;
        Some(Overload { is_member: text.starts_with('.'), result: reader.read(), args: types })
    };
    Some(line.split(' ').filter_map(|text| read(text, mapping)).collect())
}

struct Reader<'t> {
    rest: &'t str,
    params: [Type; 2],
}

impl Reader<'_> {
    fn read(&mut self) -> Type {
        let Some(first) = self.rest.chars().next() else { return Type::Dyn };
        self.rest = &self.rest[first.len_utf8()..];
        let opaque = |name: &'static str| Type::Opaque(name, Vec::new());
        match first {
            'b' => Type::Bool,
            'i' => Type::Int,
            'u' => Type::Uint,
            'd' => Type::Double,
            's' => Type::Text,
            'y' => Type::Bytes,
            't' => Type::Timestamp,
            'p' => Type::Duration,
            'A' => self.params[0].clone(),
            'B' => self.params[1].clone(),
            'T' => Type::TypeOf(Rc::new(self.params[0].clone())),
            '[' => Type::list(self.read()),
            'o' => Type::optional(self.read()),
            '{' => {
                let key = self.read();
                self.rest = self.rest.trim_start_matches(',');
                let value = self.read();
                self.rest = self.rest.strip_prefix('}').unwrap_or(self.rest);
                Type::Map(Rc::new((key, value)))
            }
            'q' => opaque("kubernetes.Quantity"),
            'l' => opaque("kubernetes.URL"),
            'a' => opaque("net.IP"),
            'c' => opaque("net.CIDR"),
            'f' => opaque("kubernetes.NamedFormat"),
            'v' => opaque("kubernetes.Semver"),
            'z' => opaque("kubernetes.authorization.Authorizer"),
            'x' => opaque("kubernetes.authorization.PathCheck"),
            'g' => opaque("kubernetes.authorization.GroupCheck"),
            'r' => opaque("kubernetes.authorization.ResourceCheck"),
            'k' => opaque("kubernetes.authorization.Decision"),
            _ => Type::Dyn,
        }
    }
}

/// The type that a name means by itself.
pub(super) fn type_named(name: &str) -> Option<Type> {
    let free = || Type::Dyn;
    Some(match name {
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "double" => Type::Double,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "string" => Type::Text,
        "null_type" => Type::Null,
        "type" => Type::TypeOf(Rc::new(free())),
        "list" => Type::list(free()),
        "map" => Type::Map(Rc::new((free(), free()))),
        "optional_type" => Type::optional(free()),
        "google.protobuf.Timestamp" => Type::Timestamp,
        "google.protobuf.Duration" => Type::Duration,
        "kubernetes.Quantity" => Type::Opaque("kubernetes.Quantity", Vec::new()),
        "kubernetes.URL" => Type::Opaque("kubernetes.URL", Vec::new()),
        "kubernetes.Semver" => Type::Opaque("kubernetes.Semver", Vec::new()),
        "kubernetes.NamedFormat" => Type::Opaque("kubernetes.NamedFormat", Vec::new()),
        "net.IP" => Type::Opaque("net.IP", Vec::new()),
        "net.CIDR" => Type::Opaque("net.CIDR", Vec::new()),
        _ => return None,
    })
}
