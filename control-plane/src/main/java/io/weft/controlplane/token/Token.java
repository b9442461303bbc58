package io.weft.controlplane.token;

import java.time.Instant;

/** What its bearer has proved to be. */
public record Token(String mesh, String service, Instant expires) {}
