package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.AccessLog;
import io.weft.policy.model.AccessLog.Comparison;
import io.weft.policy.model.AccessLog.Filter;
import io.weft.policy.model.AccessLog.JsonObject;
import io.weft.policy.model.AccessLog.JsonValue;
import io.weft.policy.model.AccessLog.Line;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.JwtAuthentication;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.AccessLogFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.ComparisonFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.MetadataFilter;
import io.weft.policy.proto.envoy.config.core.v3.SubstitutionFormatString;
import io.weft.policy.proto.envoy.data.accesslog.v3.AccessLogType;
import io.weft.policy.proto.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.weft.policy.proto.envoy.extensions.access_loggers.stream.v3.StderrAccessLog;
import io.weft.policy.proto.envoy.extensions.access_loggers.stream.v3.StdoutAccessLog;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.Value;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Access logs to files and standard streams, and which requests they are for. */
final class AccessLogParser {
    private static final String LOGGERS = "envoy.extensions.access_loggers.";
    private static final String FILE = LOGGERS + "file.v3.FileAccessLog";
    private static final String STDOUT = LOGGERS + "stream.v3.StdoutAccessLog";
    private static final String STDERR = LOGGERS + "stream.v3.StderrAccessLog";
    private static final Set<String> FLAGS = Set.of(
            "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX", "SI", "IH", "DPE",
            "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR", "UDO");
    private static final String DEFAULT_FORMAT = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\""
            + " %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"
            + " \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

    /** From which kuma-dp would send on what a {@code MeshAccessLog} has sent by TCP; without one it would be a file that nobody reads. */
    private static final Pattern KUMA_PIPE = Pattern.compile("(^|/)kuma-al-[^/]*\\.sock$");

    private AccessLogParser() {}

    /** As the filter that comes before all others; none without a log. A logger that is not known writes nothing, which is said. */
    static List<NamedFilter> parse(
            Field manager, List<io.weft.policy.proto.envoy.config.accesslog.v3.AccessLog> logs) {
        List<AccessLog> parsed = new ArrayList<>(logs.size());
        for (int i = 0; i < logs.size(); i++) {
            log(manager.at("access_log", i), logs.get(i)).ifPresent(parsed::add);
        }
        return parsed.isEmpty()
                ? List.of()
                : List.of(new NamedFilter("access log", new HttpFilter.AccessLogs(parsed), false));
    }

    private static Optional<AccessLog> log(Field field, io.weft.policy.proto.envoy.config.accesslog.v3.AccessLog log) {
        Any config = log.getTypedConfig();
        Field at = field.at("typed_config");
        String path;
        Line line;
        try {
            switch (Extensions.typeOf(config)) {
                case FILE:
                    FileAccessLog file = FileAccessLog.parseFrom(config.getValue());
                    path = at.at("path").notEmpty(file.getPath());
                    if (KUMA_PIPE.matcher(path).find()) {
                        at.at("path").report("a pipe of kuma-dp's");
                        return Optional.empty();
                    }
                    line = line(at, file);
                    break;
                case STDOUT:
                    path = AccessLog.STDOUT;
                    StdoutAccessLog stdout = StdoutAccessLog.parseFrom(config.getValue());
                    line = stdout.hasLogFormat() ? line(at.at("log_format"), stdout.getLogFormat()) : text(at, "", false);
                    break;
                case STDERR:
                    path = AccessLog.STDERR;
                    StderrAccessLog stderr = StderrAccessLog.parseFrom(config.getValue());
                    line = stderr.hasLogFormat() ? line(at.at("log_format"), stderr.getLogFormat()) : text(at, "", false);
                    break;
                default:
                    field.report(log.getName());
                    return Optional.empty();
            }
        } catch (InvalidProtocolBufferException e) {
            throw at.refuse("is not a valid " + Extensions.typeOf(config) + ": " + e.getMessage());
        }
        Filter filter = log.hasFilter() ? filter(field.at("filter"), log.getFilter()) : AccessLog.Always.WRITTEN;
        return Optional.of(new AccessLog(path, line, filter));
    }

    @SuppressWarnings("deprecation") // older control planes send the old forms, and Envoy obeys them
    private static Line line(Field field, FileAccessLog file) {
        switch (file.getAccessLogFormatCase()) {
            case FORMAT:
                return text(field.at("format"), file.getFormat(), false);
            case JSON_FORMAT:
                return new AccessLog.JsonLine(object(field.at("json_format"), file.getJsonFormat()), false);
            case TYPED_JSON_FORMAT:
                return new AccessLog.JsonLine(object(field.at("typed_json_format"), file.getTypedJsonFormat()), false);
            case LOG_FORMAT:
                return line(field.at("log_format"), file.getLogFormat());
            default:
                return text(field, "", false);
        }
    }

    @SuppressWarnings("deprecation") // text_format
    private static Line line(Field field, SubstitutionFormatString format) {
        field.reportIf(format.hasJsonFormatOptions(), "json_format_options");
        field.refuseIf(format.getFormattersCount() > 0, "formatters", "are not supported; use the operators that need none");
        boolean omitEmpty = format.getOmitEmptyValues();
        switch (format.getFormatCase()) {
            case TEXT_FORMAT:
                return text(field.at("text_format"), format.getTextFormat(), omitEmpty);
            case TEXT_FORMAT_SOURCE:
                Field source = field.at("text_format_source");
                return text(source, RouteParser.inline(source, format.getTextFormatSource()).toStringUtf8(), omitEmpty);
            case JSON_FORMAT:
                return new AccessLog.JsonLine(object(field.at("json_format"), format.getJsonFormat()), omitEmpty);
            default:
                throw field.refuse("says nothing; set text_format_source or json_format, or leave it out");
        }
    }

    private static Line text(Field field, String format, boolean omitEmpty) {
        return new AccessLog.TextLine(FormatParser.parse(field, format.isEmpty() ? DEFAULT_FORMAT : format), omitEmpty);
    }

    private static JsonObject object(Field field, Struct struct) {
        TreeMap<String, JsonValue> fields = new TreeMap<>();
        for (Map.Entry<String, Value> entry : struct.getFieldsMap().entrySet()) {
            fields.put(entry.getKey(), value(field.at(entry.getKey()), entry.getValue()));
        }
        return new JsonObject(fields);
    }

    private static JsonValue value(Field field, Value value) {
        switch (value.getKindCase()) {
            case STRING_VALUE:
                return new AccessLog.JsonFormat(FormatParser.parse(field, value.getStringValue()));
            case STRUCT_VALUE:
                return object(field, value.getStructValue());
            case LIST_VALUE:
                List<JsonValue> values = new ArrayList<>();
                for (Value element : value.getListValue().getValuesList()) {
                    values.add(value(field, element));
                }
                return new AccessLog.JsonArray(values);
            case BOOL_VALUE:
                return new AccessLog.JsonLiteral(Boolean.toString(value.getBoolValue()));
            case NUMBER_VALUE:
                double number = value.getNumberValue();
                if (Double.isNaN(number) || Double.isInfinite(number)) {
                    throw field.refuse("is not a number that JSON can hold");
                }
                return new AccessLog.JsonLiteral(new BigDecimal(number).stripTrailingZeros().toPlainString());
            default:
                return new AccessLog.JsonLiteral("null");
        }
    }

    private static Filter filter(Field field, AccessLogFilter filter) {
        switch (filter.getFilterSpecifierCase()) {
            case STATUS_CODE_FILTER:
                ComparisonFilter status = filter.getStatusCodeFilter().getComparison();
                return new AccessLog.ByStatus(comparison(status), value(field.at("status_code_filter"), status));
            case DURATION_FILTER:
                ComparisonFilter duration = filter.getDurationFilter().getComparison();
                return new AccessLog.ByDuration(comparison(duration), value(field.at("duration_filter"), duration));
            case NOT_HEALTH_CHECK_FILTER:
                // No request is known to be a health check: Envoy's own filter for them is not there.
                return AccessLog.Always.WRITTEN;
            case TRACEABLE_FILTER:
                return new AccessLog.Traceable();
            case RUNTIME_FILTER:
                return new AccessLog.Sampled(
                        MatchParser.fraction(
                                field.at("runtime_filter").at("percent_sampled"), filter.getRuntimeFilter().getPercentSampled()),
                        filter.getRuntimeFilter().getUseIndependentRandomness());
            case AND_FILTER:
                return new AccessLog.AllOf(filters(field.at("and_filter"), filter.getAndFilter().getFiltersList()));
            case OR_FILTER:
                return new AccessLog.AnyOf(filters(field.at("or_filter"), filter.getOrFilter().getFiltersList()));
            case HEADER_FILTER:
                return new AccessLog.ByHeader(
                        MatchParser.header(field.at("header_filter").at("header"), filter.getHeaderFilter().getHeader()));
            case RESPONSE_FLAG_FILTER:
                return flags(field.at("response_flag_filter"), filter.getResponseFlagFilter().getFlagsList());
            case GRPC_STATUS_FILTER:
                return new AccessLog.ByGrpcStatus(
                        new HashSet<>(filter.getGrpcStatusFilter().getStatusesValueList()),
                        filter.getGrpcStatusFilter().getExclude());
            case METADATA_FILTER:
                // There is nothing in dynamic metadata but what a token says, and for that nobody looks here: the key is never found.
                MetadataFilter metadata = filter.getMetadataFilter();
                field.at("metadata_filter").reportIf(metadata.getMatcher().getFilter().equals(JwtAuthentication.METADATA), "matcher");
                return new AccessLog.Always(
                        !metadata.hasMatchIfKeyNotFound() || metadata.getMatchIfKeyNotFound().getValue());
            case LOG_TYPE_FILTER:
                boolean listed = filter.getLogTypeFilter().getTypesList().contains(AccessLogType.DownstreamEnd);
                return new AccessLog.Always(listed != filter.getLogTypeFilter().getExclude());
            case EXTENSION_FILTER:
                throw field.at("extension_filter").refuse("is not supported; use the filters that need no extension");
            default:
                throw field.refuse("says nothing; leave it out to write every request");
        }
    }

    private static List<Filter> filters(Field field, List<AccessLogFilter> filters) {
        field.refuseIf(filters.size() < 2, "filters", "must be two or more");
        List<Filter> parsed = new ArrayList<>(filters.size());
        for (int i = 0; i < filters.size(); i++) {
            parsed.add(filter(field.at("filters", i), filters.get(i)));
        }
        return parsed;
    }

    private static Filter flags(Field field, List<String> flags) {
        for (int i = 0; i < flags.size(); i++) {
            if (!FLAGS.contains(flags.get(i))) {
                throw field.at("flags", i).refuse("'" + flags.get(i) + "' is not a response flag of Envoy");
            }
        }
        return new AccessLog.ByFlags(new HashSet<>(flags));
    }

    private static Comparison comparison(ComparisonFilter filter) {
        switch (filter.getOp()) {
            case GE:
                return Comparison.GREATER_OR_EQUAL;
            case LE:
                return Comparison.LESS_OR_EQUAL;
            default:
                return Comparison.EQUAL;
        }
    }

    private static long value(Field field, ComparisonFilter filter) {
        Field comparison = field.at("comparison");
        comparison.refuseIf(!filter.hasValue(), "value", "is missing");
        return Integer.toUnsignedLong(filter.getValue().getDefaultValue());
    }
}
