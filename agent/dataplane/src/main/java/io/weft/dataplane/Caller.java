package io.weft.dataplane;

/** Of whom a rule is asked: a request with the connection that it came over. */
public interface Caller {
    /** The request as the filters before have left it. */
    RequestHead head();

    Connection connection();

    /** The peer's address, or what the proxies in front of it say, see {@link ClientIp}. */
    IpAddress clientIp();

    /** What filters have put into the request's {@link FilterState}; null: nothing. */
    default String filterState(String key) {
        return null;
    }
}
