package io.weft.dataplane;

import java.util.Map;

/** Of whom a rule is asked: a request with the connection that it came over. */
public interface Caller {
    /** The request as the filters before have left it. */
    RequestHead head();

    Connection connection();

    /** The peer's address, or what the proxies in front of it say, see {@link ClientIp}. */
    IpAddress clientIp();

    /** What is null in metadata. */
    Object NULL = new Object();

    /**
     * What the filter of that name has put down of the request for those that follow, by key: Strings, Doubles, Booleans, {@link #NULL},
     * Lists and Maps of these; null: nothing.
     */
    default Map<String, Object> metadata(String filter) {
        return null;
    }

    /** What filters have put into the request's {@link FilterState}; null: nothing. */
    default String filterState(String key) {
        return null;
    }
}
