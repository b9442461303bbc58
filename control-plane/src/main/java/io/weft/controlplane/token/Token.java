package io.weft.controlplane.token;

import java.time.Instant;

/**
 * A token of the control plane's own: what its bearer has proved to be.
 *
 * @param id of this token alone
 */
public record Token(String id, String mesh, String service, Instant expires) implements Proof {

    @Override
    public String owner() {
        return "token " + id + " of service " + service;
    }
}
