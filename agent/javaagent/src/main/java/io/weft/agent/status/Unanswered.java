package io.weft.agent.status;

/** Why a process that is in the mesh, or should be, has nothing to say of itself. */
enum Unanswered {
    /** It has a socket. */
    NO_ANSWER,
    /** It runs the agent, by its command line or environment. */
    NO_SOCKET
}
