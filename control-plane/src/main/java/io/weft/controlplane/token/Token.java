package io.weft.controlplane.token;

import java.time.Instant;

/**
 * What its bearer has proved to be.
 *
 * @param id of this token alone
 */
public record Token(String id, String mesh, String service, Instant expires) {}
