package io.weft.dataplane.format;

/** Why a response is not what the upstream answered, as Envoy names it in access logs. */
public enum ResponseFlag {
    LH("FailedLocalHealthCheck"),
    UH("NoHealthyUpstream"),
    UT("UpstreamRequestTimeout"),
    LR("LocalReset"),
    UR("UpstreamRemoteReset"),
    UF("UpstreamConnectionFailure"),
    UC("UpstreamConnectionTermination"),
    UO("UpstreamOverflow"),
    NR("NoRouteFound"),
    DI("DelayInjected"),
    FI("FaultInjected"),
    RL("RateLimited"),
    UAEX("UnauthorizedExternalService"),
    RLSE("RateLimitServiceError"),
    DC("DownstreamConnectionTermination"),
    URX("UpstreamRetryLimitExceeded"),
    SI("StreamIdleTimeout"),
    IH("InvalidEnvoyRequestHeaders"),
    DPE("DownstreamProtocolError"),
    UMSDR("UpstreamMaxStreamDurationReached"),
    RFCF("ResponseFromCacheFilter"),
    NFCF("NoFilterConfigFound"),
    DT("DurationTimeout"),
    UPE("UpstreamProtocolError"),
    NC("NoClusterFound"),
    OM("OverloadManagerTerminated"),
    DF("DnsResolutionFailed"),
    DO("DropOverload"),
    DR("DownstreamRemoteReset"),
    UDO("UnconditionalDropOverload");

    private static final ResponseFlag[] ALL = values();
    private static final String NONE = "-";

    private final String longName;

    ResponseFlag(String longName) {
        this.longName = longName;
    }

    public int bit() {
        return 1 << ordinal();
    }

    public String longName() {
        return longName;
    }

    /** Those of the bits, with commas between them. */
    public static String names(int bits, boolean longNames) {
        if (bits == 0) {
            return NONE;
        }
        StringBuilder names = new StringBuilder();
        for (ResponseFlag flag : ALL) {
            if ((bits & flag.bit()) != 0) {
                if (names.length() > 0) {
                    names.append(',');
                }
                names.append(longNames ? flag.longName : flag.name());
            }
        }
        return names.toString();
    }
}
