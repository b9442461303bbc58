package io.weft.dataplane.dns;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Asks the name service. May block; called on threads of the agent that have nothing else to do. */
@FunctionalInterface
public interface NameLookup {
    /** @return at least one, in the order of the answer */
    InetAddress[] lookup(String host) throws UnknownHostException;
}
