package io.weft.instrumentation.vertx;

/** What the library lets a stream tell, beside the response and its end. */
enum Listener {
    PUSH,
    CONTINUE,
    EARLY_HINTS,
    DRAIN,
    PRIORITY,
    CUSTOM_FRAME;

    /** Not to be changed: of each request. */
    static final Listener[] ALL = values();
}
