package io.weft.it.agent;

import java.net.ServerSocket;

/** An app of which the agent knows no class: a server of its own, if its argument says so. */
public final class Unknown {
    private Unknown() {}

    public static void main(String[] arguments) throws Exception {
        ServerSocket server = arguments[0].equals("listens") ? new ServerSocket(0) : null;
        System.out.println("port=" + (server == null ? 0 : server.getLocalPort()));
        Thread.sleep(Long.MAX_VALUE);
    }
}
