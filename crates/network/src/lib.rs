//! Where does a packet go, and who drops it?
