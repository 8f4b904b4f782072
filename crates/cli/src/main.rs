//! `podpath`: the lab without a page.

mod conform;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let status = match args.split_first() {
        Some((verb, rest)) if verb == "conform" => conform::command(rest),
        _ => {
            eprintln!("usage: podpath conform SUITE FILE… [--show K]");
            2
        }
    };
    std::process::exit(status);
}
