package io.weft.dataplane;

/** Why a connection that came in was closed before any request of it was read. */
public enum Rejection {
    NO_FILTER_CHAIN("no filter chain of the inbound listener is for it", false),
    PLAINTEXT("it is in plaintext, and policy demands mesh TLS", false),
    NO_IDENTITY("policy demands mesh TLS, and this instance has no certificate or nobody to trust yet: nobody gets in", true),
    EXPIRED_IDENTITY("the certificate of this instance is not valid now: nobody gets in over mesh TLS", true),
    UNSECURABLE("policy demands mesh TLS, which this port cannot be given: nobody gets in", true),
    UNGUARDED("policy says who may call, which cannot be asked on this port: nobody gets in", true),
    NO_POLICY("no policy has said yet who may come in", true),
    RATE_LIMIT("there are too many new connections", false),
    HANDSHAKE("its TLS handshake failed", false),
    HANDSHAKE_TIME("it did not say in time what it is", false),
    HANDSHAKE_NUMBER("too many others had not said either what they are", false),
    HTTP2("it speaks HTTP/2 with prior knowledge, and the app's server does not", true);

    private final String text;
    private final boolean isNews;

    Rejection(String text, boolean isNews) {
        this.text = text;
        this.isNews = isNews;
    }

    /** For people. */
    public String text() {
        return text;
    }

    /** An operator has to know of the first one; the others are their clients' doing. */
    public boolean isNews() {
        return isNews;
    }
}
