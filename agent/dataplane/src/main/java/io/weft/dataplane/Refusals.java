package io.weft.dataplane;

/** Told of each request and connection that access control refused. Thread-safe; must not block or throw. */
public interface Refusals {

    /** Whether anything becomes of it. */
    boolean heard();

    /** @param rule the policy that decided; {@code -}: none allowed it */
    void refused(String rule, Caller caller);

    /** Called whether or not anything is {@link #heard}. */
    void connectionRefused(Rejection why, Connection connection);

    /** Tells somebody who may come later, and nobody before. */
    final class Relay implements Refusals {
        private volatile Refusals listener;

        void to(Refusals listener) {
            this.listener = listener;
        }

        @Override
        public boolean heard() {
            Refusals hearing = listener;
            return hearing != null && hearing.heard();
        }

        @Override
        public void refused(String rule, Caller caller) {
            Refusals hearing = listener;
            if (hearing != null) {
                hearing.refused(rule, caller);
            }
        }

        @Override
        public void connectionRefused(Rejection why, Connection connection) {
            Refusals hearing = listener;
            if (hearing != null) {
                hearing.connectionRefused(why, connection);
            }
        }
    }
}
