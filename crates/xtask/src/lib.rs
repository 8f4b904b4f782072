//! How do we check and ship?
//!
//! The commands are in the binary (`cargo xtask`). The library holds only what the browser journeys share with it, the
//! [server](serve) of a built page, so that they can use it without building the bundler.
//!
//! ```no_run
//! let server = xtask::serve::Server::start("dist".as_ref(), "/podpath/", 0)?;
//! println!("{}", server.url());
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod serve;
