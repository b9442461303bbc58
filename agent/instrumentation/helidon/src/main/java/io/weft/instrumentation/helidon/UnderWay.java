package io.weft.instrumentation.helidon;

/** A chain that a thread is in: as such it is not for the mesh. */
class UnderWay {
    private final Object chain;

    UnderWay(Object chain) {
        this.chain = chain;
    }

    final boolean isOf(Object callChain) {
        return chain == callChain;
    }
}
