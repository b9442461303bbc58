package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.any;
import static io.weft.policy.parse.Samples.bool;
import static io.weft.policy.parse.Samples.parse;
import static io.weft.policy.parse.Samples.withManager;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.MessageLite;
import io.weft.policy.model.AccessLog;
import io.weft.policy.model.AccessLog.Always;
import io.weft.policy.model.AccessLog.ByFlags;
import io.weft.policy.model.AccessLog.ByGrpcStatus;
import io.weft.policy.model.AccessLog.ByStatus;
import io.weft.policy.model.AccessLog.Comparison;
import io.weft.policy.model.AccessLog.Filter;
import io.weft.policy.model.AccessLog.JsonLine;
import io.weft.policy.model.AccessLog.TextLine;
import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.Listener;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.accesslog.v3.AccessLogFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.AndFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.ComparisonFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.ExtensionFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.GrpcStatusFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.LogTypeFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.MetadataFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.ResponseFlagFilter;
import io.weft.policy.proto.envoy.config.accesslog.v3.StatusCodeFilter;
import io.weft.policy.proto.envoy.config.core.v3.DataSource;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeUInt32;
import io.weft.policy.proto.envoy.config.core.v3.SubstitutionFormatString;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.data.accesslog.v3.AccessLogType;
import io.weft.policy.proto.envoy.extensions.access_loggers.file.v3.FileAccessLog;
import io.weft.policy.proto.envoy.extensions.access_loggers.stream.v3.StdoutAccessLog;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.Value;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AccessLogParserTest {
    private static final String AT = "filter_chains[0].filters[0].typed_config.access_log[0]";

    private static ParseOutcome outcome(MessageLite logger, AccessLogFilter filter) {
        var log = io.weft.policy.proto.envoy.config.accesslog.v3.AccessLog.newBuilder().setName("log").setTypedConfig(any(logger));
        if (filter != null) {
            log.setFilter(filter);
        }
        return parse(withManager(m -> m.addAccessLog(log)));
    }

    private static AccessLog log(MessageLite logger, AccessLogFilter filter) {
        Listener listener = (Listener) ((Accepted) outcome(logger, filter)).resource();
        NamedFilter first = listener.filterChains().get(0).http().filters().get(0);
        return ((HttpFilter.AccessLogs) first.filter()).logs().get(0);
    }

    private static FileAccessLog file(SubstitutionFormatString.Builder format) {
        return FileAccessLog.newBuilder().setPath("/a.log").setLogFormat(format).build();
    }

    private static SubstitutionFormatString.Builder text(String text) {
        return SubstitutionFormatString.newBuilder().setTextFormatSource(DataSource.newBuilder().setInlineString(text));
    }

    @Test
    void filesAndStreamsInTheirForms() {
        AccessLog byDefault = log(FileAccessLog.newBuilder().setPath("/a.log").build(), null);
        assertThat(byDefault.path()).isEqualTo("/a.log");
        assertThat(byDefault.filter()).isEqualTo(Always.WRITTEN);
        assertThat(((TextLine) byDefault.line()).format().parts())
                .contains(new Format.Command(FormatOperator.RESPONSE_FLAGS, List.of(), Integer.MAX_VALUE));

        AccessLog stdout = log(StdoutAccessLog.newBuilder().setLogFormat(text("x").setOmitEmptyValues(true)).build(), null);
        assertThat(stdout.path()).isEqualTo(AccessLog.STDOUT);
        assertThat(stdout.line()).isEqualTo(new TextLine(Format.of("x"), true));

        Struct fields = Struct.newBuilder()
                .putFields("n", Value.newBuilder().setNumberValue(5).build())
                .putFields("t", Value.newBuilder().setStringValue("100%%").build())
                .build();
        JsonLine json = (JsonLine) log(file(SubstitutionFormatString.newBuilder().setJsonFormat(fields)), null).line();
        assertThat(json.fields().fields())
                .containsEntry("n", new AccessLog.JsonLiteral("5"))
                .containsEntry("t", new AccessLog.JsonFormat(Format.of("100%")));
    }

    private static ComparisonFilter comparison(ComparisonFilter.Op op, int value) {
        return ComparisonFilter.newBuilder().setOp(op).setValue(RuntimeUInt32.newBuilder().setDefaultValue(value)).build();
    }

    private static Filter filter(AccessLogFilter.Builder filter) {
        return log(file(text("x")), filter.build()).filter();
    }

    @Test
    void filters() {
        assertThat(filter(AccessLogFilter.newBuilder().setStatusCodeFilter(
                        StatusCodeFilter.newBuilder().setComparison(comparison(ComparisonFilter.Op.GE, 500)))))
                .isEqualTo(new ByStatus(Comparison.GREATER_OR_EQUAL, 500));
        assertThat(filter(AccessLogFilter.newBuilder().setResponseFlagFilter(ResponseFlagFilter.newBuilder().addFlags("UH"))))
                .isEqualTo(new ByFlags(Set.of("UH")));
        assertThat(filter(AccessLogFilter.newBuilder().setGrpcStatusFilter(
                        GrpcStatusFilter.newBuilder().addStatuses(GrpcStatusFilter.Status.OK).setExclude(true))))
                .isEqualTo(new ByGrpcStatus(Set.of(0), true));
        assertThat(filter(AccessLogFilter.newBuilder().setMetadataFilter(MetadataFilter.getDefaultInstance())))
                .as("as Kuma sends it").isEqualTo(new Always(true));
        assertThat(filter(AccessLogFilter.newBuilder().setMetadataFilter(
                        MetadataFilter.newBuilder().setMatchIfKeyNotFound(bool(false)))))
                .isEqualTo(new Always(false));
        assertThat(filter(AccessLogFilter.newBuilder().setLogTypeFilter(
                        LogTypeFilter.newBuilder().addTypes(AccessLogType.TcpPeriodic))))
                .isEqualTo(new Always(false));
    }

    record Case(String path, String reason, MessageLite logger, AccessLogFilter.Builder filter) {}

    static Stream<Case> refused() {
        return Stream.of(
                new Case(".typed_config.path", "must not be empty", FileAccessLog.getDefaultInstance(), null),
                new Case(".typed_config.log_format.text_format_source", "NONE", file(text("%NONE%")), null),
                new Case(".typed_config.log_format.text_format_source", "position 0", file(text("%test-server%")), null),
                new Case(".typed_config.log_format.formatters", "not supported",
                        file(text("x").addFormatters(TypedExtensionConfig.getDefaultInstance())), null),
                new Case(".typed_config.log_format.json_format.a", "NONE", file(SubstitutionFormatString.newBuilder().setJsonFormat(
                        Struct.newBuilder().putFields("a", Value.newBuilder().setStringValue("%NONE%").build()))), null),
                new Case(".filter", "says nothing", file(text("x")), AccessLogFilter.newBuilder()),
                new Case(".filter.extension_filter", "not supported", file(text("x")),
                        AccessLogFilter.newBuilder().setExtensionFilter(ExtensionFilter.getDefaultInstance())),
                new Case(".filter.and_filter.filters", "two or more", file(text("x")),
                        AccessLogFilter.newBuilder().setAndFilter(AndFilter.getDefaultInstance())),
                new Case(".filter.response_flag_filter.flags[0]", "XX", file(text("x")), AccessLogFilter.newBuilder()
                        .setResponseFlagFilter(ResponseFlagFilter.newBuilder().addFlags("XX"))),
                new Case(".filter.status_code_filter.comparison.value", "missing", file(text("x")), AccessLogFilter.newBuilder()
                        .setStatusCodeFilter(StatusCodeFilter.newBuilder().setComparison(ComparisonFilter.getDefaultInstance()))));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatCannotBeWrittenIsRefused(Case bad) {
        ParseOutcome outcome = outcome(bad.logger(), bad.filter() == null ? null : bad.filter().build());
        assertThat(outcome).isInstanceOfSatisfying(Refused.class, refused -> {
            assertThat(refused.path()).isEqualTo(AT + bad.path());
            assertThat(refused.reason()).contains(bad.reason());
        });
    }

    @Test
    void whatWritesElsewhereIsReported() {
        Accepted accepted = (Accepted) outcome(TypedExtensionConfig.getDefaultInstance(), null);
        assertThat(accepted.unhonoured()).extracting(Unhonoured::path).containsExactly(AT + " (log)");
    }

    @Test
    void noFilterGoesByWhatATokenSays() {
        Accepted accepted = (Accepted) outcome(StdoutAccessLog.getDefaultInstance(), AccessLogFilter.newBuilder().setMetadataFilter(
                MetadataFilter.newBuilder().setMatcher(AccessControlTest.claim(AccessControlTest.text("a"), "payload", "iss"))).build());
        assertThat(accepted.unhonoured()).extracting(Unhonoured::path).containsExactly(AT + ".filter.metadata_filter.matcher");
    }

    @Test
    void whatKumaDpWouldSendOnIsReported() {
        FileAccessLog piped = file(text("127.0.0.1:9999;x")).toBuilder().setPath("kuma-al-orders-1a2b3c4d-default.sock").build();
        assertThat(((Accepted) outcome(piped, null)).unhonoured()).extracting(Unhonoured::path)
                .containsExactly(AT + ".typed_config.path (a pipe of kuma-dp's)");
        assertThat(((Accepted) outcome(piped.toBuilder().setPath("/var/log/kuma-al.sock.txt").build(), null)).unhonoured()).isEmpty();
    }
}
