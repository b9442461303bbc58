package io.weft.agent.link;

import io.weft.instrumentation.Handler;

/**
 * A handler, and what the woven method takes from it.
 *
 * @param handler null: the woven method goes on by itself
 * @param type of the value that replaces a result or an argument, the box for a primitive; null: the value is not used
 * @param nullable whether null may replace it
 */
record Bound(Handler handler, Class<?> type, boolean nullable) {
    static final Bound OFF = new Bound(null, null, true);

    /** A value of the wrong type would become an exception in the app's own code: a fault of the agent instead. */
    Object fitting(Object value) {
        if (type == null || (value == null ? nullable : type.isInstance(value))) {
            return value;
        }
        throw new ClassCastException("the handler gave " + (value == null ? "null" : value.getClass().getName()) + " for "
                + type.getName());
    }
}
