package io.weft.controlplane.xds.policy;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLog;
import io.envoyproxy.envoy.config.accesslog.v3.AccessLogFilter;
import io.envoyproxy.envoy.config.core.v3.DataSource;
import io.envoyproxy.envoy.config.core.v3.SubstitutionFormatString;
import io.envoyproxy.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.weft.controlplane.policy.MeshAccessLog;
import io.weft.controlplane.policy.MeshAccessLog.File;
import io.weft.controlplane.policy.MeshAccessLog.Format;
import io.weft.controlplane.policy.MeshAccessLog.Json;
import io.weft.controlplane.policy.MeshAccessLog.Plain;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@code MeshAccessLog}, as far as it writes files. */
public final class AccessLogTranslator {

    private static final String HTTP_FORMAT = "[%START_TIME%] %KUMA_MESH% \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"
            + " %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION%"
            + " %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\""
            + " \"%REQ(X-B3-TRACEID?X-DATADOG-TRACEID)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\""
            + " \"%KUMA_SOURCE_SERVICE%\" \"%KUMA_DESTINATION_SERVICE%\" \"%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%\""
            + " \"%UPSTREAM_HOST%\"";
    private static final String TCP_FORMAT = "[%START_TIME%] %RESPONSE_FLAGS% %KUMA_MESH%"
            + " %KUMA_SOURCE_ADDRESS_WITHOUT_PORT%(%KUMA_SOURCE_SERVICE%)->%UPSTREAM_HOST%(%KUMA_DESTINATION_SERVICE%)"
            + " took %DURATION%ms, sent %BYTES_SENT% bytes, received: %BYTES_RECEIVED% bytes";

    /**
     * What Kuma's own placeholders stand for.
     *
     * @param direction INBOUND or OUTBOUND
     */
    public record Placeholders(
            String mesh, String zone, String sourceAddress, String sourceService, String destinationService, String direction) {

        private String in(String format) {
            String replaced = format;
            for (Map.Entry<String, String> entry : values().entrySet()) {
                replaced = replaced.replace("%KUMA_" + entry.getKey() + "%", entry.getValue());
            }
            return replaced;
        }

        private Map<String, String> values() {
            Map<String, String> values = new LinkedHashMap<>();
            values.put("SOURCE_ADDRESS", sourceAddress.contains(":") ? "[" + sourceAddress + "]:0" : sourceAddress + ":0");
            values.put("SOURCE_ADDRESS_WITHOUT_PORT", sourceAddress);
            values.put("SOURCE_SERVICE", sourceService);
            values.put("DESTINATION_SERVICE", destinationService);
            values.put("MESH", mesh);
            values.put("TRAFFIC_DIRECTION", direction);
            values.put("ZONE", zone);
            values.put("WORKLOAD", sourceService);
            return values;
        }
    }

    /** @param filter absent: all is written */
    public static List<AccessLog> logs(
            MeshAccessLog log, boolean http, Placeholders placeholders, Optional<AccessLogFilter> filter) {
        List<AccessLog> logs = new ArrayList<>();
        for (File file : log.backends()) {
            FileAccessLog config = FileAccessLog.newBuilder()
                    .setPath(file.path())
                    .setLogFormat(format(file.format().orElse(new Plain(http ? HTTP_FORMAT : TCP_FORMAT, false)), placeholders))
                    .build();
            AccessLog.Builder builder = AccessLog.newBuilder()
                    .setName("envoy.access_loggers.file")
                    .setTypedConfig(Values.any(config));
            filter.ifPresent(builder::setFilter);
            logs.add(builder.build());
        }
        return logs;
    }

    private static SubstitutionFormatString format(Format format, Placeholders placeholders) {
        SubstitutionFormatString.Builder builder =
                SubstitutionFormatString.newBuilder().setOmitEmptyValues(format.omitEmptyValues());
        if (format instanceof Json json) {
            Struct.Builder fields = Struct.newBuilder();
            json.fields().forEach(field -> fields.putFields(
                    field.getKey(), Value.newBuilder().setStringValue(placeholders.in(field.getValue())).build()));
            return builder.setJsonFormat(fields).build();
        }
        String text = placeholders.in(((Plain) format).text()) + "\n";
        return builder.setTextFormatSource(DataSource.newBuilder().setInlineString(text)).build();
    }

    private AccessLogTranslator() {}
}
