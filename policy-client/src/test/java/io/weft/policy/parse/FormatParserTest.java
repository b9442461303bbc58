package io.weft.policy.parse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.weft.policy.model.Format;
import io.weft.policy.model.Format.Command;
import io.weft.policy.model.Format.Text;
import io.weft.policy.model.FormatOperator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is valid and what is not was tried with Envoy 1.40. */
class FormatParserTest {
    private final List<String> reported = new ArrayList<>();

    private Format parse(String format) {
        return FormatParser.parse(Field.root(reported).at("format"), format);
    }

    @Test
    void textAndOperators() {
        assertThat(parse("").parts()).isEmpty();
        assertThat(parse("100 %%").text()).isEqualTo("100 %");
        assertThat(parse("a %REQ(X-User?Y):10% %%%PROTOCOL%").parts()).containsExactly(
                new Text("a "),
                new Command(FormatOperator.REQ, List.of("x-user", "y"), 10),
                new Text(" %"),
                new Command(FormatOperator.PROTOCOL, List.of(), Integer.MAX_VALUE));
        assertThat(reported).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "REQ(x)", "REQ(x):5", "RESP(:status)", "PROTOCOL()", "GRPC_STATUS", "GRPC_STATUS(SNAKE_STRING)", "PATH",
        "PATH(NQ:ORIG_OR_PATH)", "PATH(NQ):4", "QUERY_PARAM(x):3", "QUERY_PARAMS", "START_TIME", "START_TIME(%Y-%m-%dT%H:%M:%E3S)",
        "START_TIME(%s.%3f)", "EMIT_TIME_LOCAL(%F %T %Ez)", "ENVIRONMENT(HOME):3", "RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)",
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", "FILTER_STATE(a)", "FILTER_STATE(a:PLAIN):3", "FILTER_STATE(a:FIELD:x)"
    })
    void operatorsThatAreKnown(String operator) {
        assertThat(parse('%' + operator + '%').parts()).hasSize(1);
        assertThat(reported).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "TRAILER(x)", "CONNECTION_ID", "DYNAMIC_METADATA(a:b):3", "METADATA(ROUTE:a:b)", "UPSTREAM_FILTER_STATE(a)",
        "COMMON_DURATION(DS_RX_BEG:DS_TX_END:ms)", "DOWNSTREAM_PEER_CERT_V_START(%Y)",
        "UPSTREAM_METADATA([\"a\",\"b\"])"
    })
    void operatorsWhoseValueIsNotKnownHereAreReported(String operator) {
        parse('%' + operator + '%');
        assertThat(reported).singleElement().asString()
                .isEqualTo("format (%" + operator.replaceAll("\\(.*", "") + "% is not known here and stays empty)");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "50%                     | position 2",
        "%test-server%           | position 0",
        "%lower%                 | position 0",
        "%REQ(x)y%               | position 0",
        "%REQ(x):y%              | position 0",
        "%REQ(x%                 | position 0",
        "%NO_SUCH_OPERATOR%      | NO_SUCH_OPERATOR",
        "%VIRTUAL_HOST_NAME%     | VIRTUAL_HOST_NAME",
        "%CEL(request.path)%     | CEL",
        "%REQ%                   | parentheses",
        "%REQ()%                 | parentheses",
        "%REQ(a?b?c)%            | more than one alternative",
        "%PROTOCOL(x)%           | nothing in parentheses",
        "%PROTOCOL:3%            | no length",
        "%START_TIME:3%          | no length",
        "%START_TIME(%n)%        | not supported in a time",
        "%START_TIME(%)%         | not supported in a time",
        "%GRPC_STATUS(X)%        | CAMEL_STRING",
        "%PATH(ZZ)%              | NQ, WQ",
        "%METADATA(X:a)%         | ROUTE",
        "%FILTER_STATE(a:FIELD)% | KEY:FIELD:NAME",
        "%ENVIRONMENT%           | parentheses",
    })
    void theRestIsRefused(String format, String reason) {
        assertThatThrownBy(() -> parse(format))
                .isInstanceOfSatisfying(Refusal.class, refusal -> {
                    assertThat(refusal.path()).isEqualTo("format");
                    assertThat(refusal).hasMessageContaining(reason);
                });
    }
}
