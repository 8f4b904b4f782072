//! `kubectl certificate approve` and `deny`.
//!
//! Source: kubectl v1.32 `pkg/cmd/certificates/certificates.go`.

use api::Kind;
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, field, print, resource::typed};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let (word, names) = kube.given.word();
    let (done, condition, other, reason) = match word.as_str() {
        "approve" => ("approved", "Approved", "Denied", "KubectlApprove"),
        "deny" => ("denied", "Denied", "Approved", "KubectlDeny"),
        _ => {
            super::help::print("certificate", kube.out);
            return Ok(());
        }
    };
    let format = print::format(kube, false)?;
    let mut found = Vec::new();
    if kube.given.has("filename") {
        for manifest in kube.manifests()? {
            let manifest = manifest?;
            if manifest.kind != Kind::CertificateSigningRequest {
                let info = manifest.kind.info();
                return Fail::error(format!(
                    "can only handle CertificateSigningRequest.certificates.k8s.io objects, got {}",
                    if info.group.is_empty() {
                        info.kind.to_owned()
                    } else {
                        format!("{}.{}", info.kind, info.group)
                    }
                ));
            }
            found.push(manifest.name);
        }
    } else if names.is_empty() {
        return Fail::error("one or more CSRs must be specified as <name> or -f <filename>");
    }
    found.extend(names);
    let mut failed = Vec::new();
    for name in found {
        let changed = kube.get(Kind::CertificateSigningRequest, "", &name).and_then(|mut request| {
            let of = |it: &Value| field::text(it, "type").to_owned();
            let has: Vec<String> = field::list(&request, "status.conditions").iter().map(of).collect();
            if has.iter().any(|it| it == other) {
                return Fail::error(format!("certificate signing request {name:?} is already {other}"));
            }
            let before = request.clone();
            if !has.iter().any(|it| it == condition) {
                let now = kube.shell.world.stamp(kube.shell.world.now()).0.to_string();
                let conditions = field::make(&mut request, "status.conditions");
                if conditions.is_null() {
                    *conditions = json!([]);
                }
                if let Value::Array(all) = conditions {
                    all.push(json!({"type": condition, "status": "True", "reason": reason,
                        "message": format!("This CSR was {done} by kubectl certificate {word}."),
                        "lastUpdateTime": now}));
                }
            }
            if request != before || kube.given.on("force") {
                kube.update_part((Kind::CertificateSigningRequest, "", &name), "approval", request)?;
            }
            Ok(before)
        });
        match (changed, &format) {
            (Ok(object), Some(format)) => print::structured(kube, format, object)?,
            (Ok(_), None) => {
                kube.out.line(&format!("{} {done}", typed(Kind::CertificateSigningRequest, &name)));
            }
            (Err(fail), _) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    /// `openssl req -new -subj /CN=joe` with a key that nobody keeps.
    const REQUEST: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISU1IQUNBUUF3RGpFTU1Bb0dBMVVFQXd3RGFtOWxNRmt3RXdZSEtvWkl6ajBDQVFZSUtvWkl6ajBEQVFjRApRZ0FFaVNkek5CYnVzclR5WGhHNUlHTVoyS0FzMlJtczhJQ2NNQ0xuVDF1QnN4R05kNTladGVaRExvQSthcklUCm1wNWlTL1hielUwdjU2aGRuVmdEa0R4RytxQUFNQW9HQ0NxR1NNNDlCQU1DQTBnQU1FVUNJUURQWFoyMEdWVDUKSFhvSzlMWjNOSmh6bGIvbUZpQ0RlOVljdmhkaFRiQS9vd0lnZVZ1ZmxMMXpMaE9DS1VkSzN6MW1MVERSVUtVYgpCbjJWVzNBdWZKVEk2T1E9Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo=";

    #[test]
    fn a_request_is_approved_once_and_not_denied_after() {
        let made = format!(
            "kind create cluster 2>/dev/null; printf 'apiVersion: certificates.k8s.io/v1\\nkind: CertificateSigningRequest\\nmetadata: {{name: joe}}\\nspec: {{request: {REQUEST}, signerName: example.com/x, usages: [client auth]}}\\n' > c.yaml; kubectl apply -f c.yaml >/dev/null; "
        );
        let (out, err, _) =
            sh(&format!("{made}kubectl certificate approve joe nope; kubectl certificate deny joe"));
        let (wanted, refused) = (
            "certificatesigningrequest.certificates.k8s.io/joe approved\n",
            "Error from server (NotFound): certificatesigningrequests.certificates.k8s.io \"nope\" not found\nerror: certificate signing request \"joe\" is already Approved\n",
        );
        assert_eq!((out.as_str(), err.as_str()), (wanted, refused));
    }
}
