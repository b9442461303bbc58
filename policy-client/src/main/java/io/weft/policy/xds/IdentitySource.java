package io.weft.policy.xds;

import io.weft.policy.identity.HeldIdentity;

/** Keeps an identity fresh from {@link #start} on. Confined to the event loop. */
interface IdentitySource {

    interface Listener {
        void held(HeldIdentity identity);

        /** What was held has expired: nobody believes it any more. */
        void lost();

        /** Something keeps it from being renewed; what is held stays. Told again when it is something else. */
        void trouble(String what);
    }

    /** Once. */
    void start();

    void stop();
}
