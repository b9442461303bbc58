package io.weft.agent.mesh;

/** Why others do not hear of a port that is bound. The names are those of {@code weft status --json}. */
public enum Unregistered {
    NO_SERVICE_NAME("this process has no service name: set weft.service"),
    LEFT_OUT("weft.ports names others"),
    OWN_TLS("the app's own TLS is on it: leave TLS to the mesh, or call it by its address"),
    LOOPBACK_ONLY("it is bound to the loopback interface and the mesh is not on that: bind another one, or set weft.address"),
    NO_INBOUND_LISTENER("the control plane was told of it and has sent no inbound listener for it: is there a stream, and was the listener refused?"),
    ATTACHED_LATE("it was bound before the agent came, and is registered with its next request, of Netty with its next connection; without one, its"
            + " server is none that Weft knows"),
    UNKNOWN_SERVER("its server is none that Weft knows");

    private final String explanation;

    Unregistered(String explanation) {
        this.explanation = explanation;
    }

    /** For people. */
    public String explanation() {
        return explanation;
    }
}
