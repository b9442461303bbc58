package io.weft.dataplane;

/** Of whom a rule is asked: a request with the connection that it came over, or a connection before any request. */
public interface Caller {
    /** As the filters before have left it; null: no request is known. */
    RequestHead head();

    Connection connection();

    /** The peer's address, or what the proxies in front of it say, see {@link ClientIp}. */
    IpAddress clientIp();
}
