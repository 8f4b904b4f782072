//! Commands about kubectl itself: `completion`, `plugin`, `proxy`, `alpha`.
//!
//! MODEL: the page completes lines itself and no program but its own runs beside it: there is no script to load, no plugin to find and
//! no port to listen on.

use crate::{
    kubectl::{Done, Fail, Kube},
    output::Hint,
};

pub(super) fn completion(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let usage = "See 'kubectl completion -h' for help and examples";
    match args.as_slice() {
        [] => Fail::error(format!("Shell not specified.\n{usage}")),
        [shell] if matches!(shell.as_str(), "bash" | "fish" | "powershell" | "zsh") => {
            // What is sourced or kept of it does nothing, as here it needs not.
            kube.out.line(&format!(
                "# lab: {shell} completion for kubectl is built into this terminal: press Tab"
            ));
            Ok(())
        }
        [shell] => Fail::error(format!("Unsupported shell type {shell:?}.\n{usage}")),
        _ => Fail::error(format!("Too many arguments. Expected only the shell type.\n{usage}")),
    }
}

pub(super) fn plugin(kube: &mut Kube<'_, '_>) -> Done {
    let (word, _) = kube.given.word();
    if word == "list" {
        return Fail::error("unable to find any kubectl plugins in your PATH");
    }
    super::help::print("plugin", kube.out);
    Ok(())
}

pub(super) fn proxy(kube: &mut Kube<'_, '_>) -> Done {
    kube.out.err("lab: nothing here can listen on a port: kubectl get --raw PATH asks the same paths");
    kube.out.hint(Hint::NotSimulated { what: "kubectl proxy".to_owned() });
    Err(Fail::Exit(1))
}

pub(super) fn alpha(kube: &mut Kube<'_, '_>) -> Done {
    kube.out.err("No alpha commands are available in this version of kubectl");
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    #[test]
    fn what_completion_prints_can_be_sourced() {
        assert_eq!(sh("source <(kubectl completion bash)"), (String::new(), String::new(), 0));
        assert_eq!(
            sh("kubectl completion foo").1,
            "error: Unsupported shell type \"foo\".\nSee 'kubectl completion -h' for help and examples\n"
        );
        assert_eq!(sh("kubectl plugin list").1, "error: unable to find any kubectl plugins in your PATH\n");
    }
}
