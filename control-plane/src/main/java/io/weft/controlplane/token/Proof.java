package io.weft.controlplane.token;

/** What a bearer has proved to be. */
public sealed interface Proof permits Token, PodToken {

    /** For who reads it. */
    String owner();
}
