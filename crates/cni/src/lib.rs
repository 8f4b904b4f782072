//! Which address, from which ENI, and what to ask EC2 for next?
