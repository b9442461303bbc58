package io.weft.dataplane.load;

/** In which form a caller asks for a load report, as Envoy and gRPC read it: ORCA, {@code xds.data.orca.v3.OrcaLoadReport}. */
public enum LoadFormat {
    TEXT, JSON, BIN;

    /** With which a request asks, its value one of these names. In lower case, as is the next. */
    public static final String ASKING_HEADER = "endpoint-load-metrics-format";
    /** With which the response answers: the format, a blank, the report. */
    public static final String REPORT_HEADER = "endpoint-load-metrics";

    /** @return null: nobody asks, or for a form that nobody knows */
    public static LoadFormat of(String asked) {
        if (asked == null) {
            return null;
        }
        for (LoadFormat format : VALUES) {
            if (format.name().equalsIgnoreCase(asked)) {
                return format;
            }
        }
        return null;
    }

    private static final LoadFormat[] VALUES = values();
}
