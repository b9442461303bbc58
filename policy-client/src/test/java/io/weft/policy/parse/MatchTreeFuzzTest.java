package io.weft.policy.parse;

import static io.weft.policy.parse.AccessControlTest.act;
import static io.weft.policy.parse.AccessControlTest.extension;
import static io.weft.policy.parse.AccessControlTest.input;
import static io.weft.policy.parse.AccessControlTest.list;
import static io.weft.policy.parse.AccessControlTest.rules;
import static io.weft.policy.parse.AccessControlTest.single;
import static io.weft.policy.parse.AccessControlTest.withMatcher;
import static io.weft.policy.parse.AccessControlTest.withRules;
import static io.weft.policy.parse.Samples.any;
import static io.weft.policy.parse.Samples.parse;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.rbac.v3.Permission;
import io.weft.policy.proto.envoy.config.rbac.v3.Principal;
import io.weft.policy.proto.envoy.config.rbac.v3.RBAC;
import io.weft.policy.proto.envoy.type.matcher.v3.HttpRequestHeaderMatchInput;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.xds.type.matcher.v3.IPMatcher;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher.MatcherList.Predicate;
import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** No tree of matchers makes the parser crash, hang or run out of stack: it is taken or refused. */
class MatchTreeFuzzTest {
    private static final io.weft.policy.proto.xds.core.v3.TypedExtensionConfig[] INPUTS = {
        input("ssl.v3.UriSanInput"),
        input("network.v3.SourceIPInput"),
        input("network.v3.DestinationPortInput"),
        extension(any(HttpRequestHeaderMatchInput.newBuilder().setHeaderName("x-a").build())),
    };

    private final Random random = new Random(23);

    private <T> T one(T[] of) {
        return of[random.nextInt(of.length)];
    }

    private Matcher matcher(int depth) {
        Matcher.Builder matcher = Matcher.newBuilder();
        if (random.nextBoolean()) {
            matcher.setOnNoMatch(onMatch(depth));
        }
        switch (random.nextInt(4)) {
            case 0:
                Matcher.MatcherList.Builder list = Matcher.MatcherList.newBuilder();
                for (int i = random.nextInt(3); i >= 0; i--) {
                    list.addMatchers(Matcher.MatcherList.FieldMatcher.newBuilder()
                            .setPredicate(predicate(depth))
                            .setOnMatch(onMatch(depth)));
                }
                return matcher.setMatcherList(list).build();
            case 1:
                return matcher.setMatcherTree(Matcher.MatcherTree.newBuilder().setInput(one(INPUTS)).setExactMatchMap(map(depth)))
                        .build();
            case 2:
                return matcher.setMatcherTree(Matcher.MatcherTree.newBuilder().setInput(one(INPUTS)).setPrefixMatchMap(map(depth)))
                        .build();
            default:
                return matcher.setMatcherTree(Matcher.MatcherTree.newBuilder()
                                .setInput(one(INPUTS))
                                .setCustomMatch(extension(any(ranges(onMatch(depth))))))
                        .build();
        }
    }

    private Matcher.MatcherTree.MatchMap map(int depth) {
        Matcher.MatcherTree.MatchMap.Builder map = Matcher.MatcherTree.MatchMap.newBuilder();
        for (int i = random.nextInt(3); i >= 0; i--) {
            map.putMap("k" + i, onMatch(depth));
        }
        return map.build();
    }

    private static IPMatcher ranges(Matcher.OnMatch onMatch) {
        return IPMatcher.newBuilder()
                .addRangeMatchers(IPMatcher.IPRangeMatcher.newBuilder()
                        .addRanges(io.weft.policy.proto.xds.core.v3.CidrRange.newBuilder().setAddressPrefix("::"))
                        .setOnMatch(onMatch))
                .build();
    }

    private Matcher.OnMatch onMatch(int depth) {
        return depth == 0 || random.nextInt(3) == 0
                ? act("a", one(new RBAC.Action[] {RBAC.Action.ALLOW, RBAC.Action.DENY, RBAC.Action.LOG}))
                : Matcher.OnMatch.newBuilder().setMatcher(matcher(depth - 1)).build();
    }

    private Predicate predicate(int depth) {
        switch (depth == 0 ? 0 : random.nextInt(4)) {
            case 0:
                return single(one(INPUTS), "v");
            case 1:
                return Predicate.newBuilder().setNotMatcher(predicate(depth - 1)).build();
            case 2:
                return Predicate.newBuilder().setAndMatcher(two(depth - 1)).build();
            default:
                return Predicate.newBuilder().setOrMatcher(two(depth - 1)).build();
        }
    }

    private Predicate.PredicateList two(int depth) {
        return Predicate.PredicateList.newBuilder().addPredicate(predicate(depth)).addPredicate(predicate(depth)).build();
    }

    @Test
    void aTreeOfAnyShapeIsTaken() {
        for (int i = 0; i < 500; i++) {
            assertThat(parse(withMatcher(matcher(random.nextInt(5))))).isInstanceOf(Accepted.class);
        }
    }

    @Test
    void aBrokenTreeIsTakenOrRefused() throws IOException {
        int refused = 0;
        for (int i = 0; i < 5_000; i++) {
            byte[] bytes = withMatcher(matcher(3)).toByteArray();
            for (int b = random.nextInt(4); b >= 0; b--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            ParseOutcome outcome = ResourceParser.parse(
                    new RawResource(ResourceType.LISTENER, "", "1", ByteString.copyFrom(bytes)));
            refused += outcome instanceof Refused ? 1 : 0;
        }
        assertThat(refused).isBetween(1_000, 5_000);
    }

    @Test
    void aTreeThatIsNestedTooDeepIsRefused() {
        Matcher.OnMatch onMatch = act("a", RBAC.Action.ALLOW);
        for (int i = 0; i < 1_500; i++) {
            Matcher.MatcherTree.Builder tree =
                    Matcher.MatcherTree.newBuilder().setInput(INPUTS[1]).setCustomMatch(extension(any(ranges(onMatch))));
            onMatch = Matcher.OnMatch.newBuilder().setMatcher(Matcher.newBuilder().setMatcherTree(tree)).build();
        }
        ParseOutcome outcome = parse(withMatcher(onMatch.getMatcher()));

        assertThat(outcome).isInstanceOf(Refused.class);
        assertThat(((Refused) outcome).reason()).contains("nested more than 32 deep");
    }

    @Test
    void predicatesAndRulesThatAreNestedTooDeepAreRefused() throws IOException {
        ByteString predicate = single(INPUTS[0], "v").toByteString();
        ByteString permission = Permission.newBuilder().setAny(true).build().toByteString();
        for (int i = 0; i < 50_000; i++) {
            predicate = wrapped(Predicate.NOT_MATCHER_FIELD_NUMBER, predicate);
            permission = wrapped(Permission.NOT_RULE_FIELD_NUMBER, permission);
        }

        // As the wire carries them: no message object of that depth could be made.
        assertThat(refusal(withMatcher(list(Predicate.getDefaultInstance())), predicate)).contains("too many levels of nesting");
        assertThat(refusal(
                        withRules(rules(Permission.getDefaultInstance(), Principal.newBuilder().setAny(true).build())), permission))
                .contains("too many levels of nesting");
    }

    /** Puts the bytes in the place of the empty message in the filter, whatever lengths change around it. */
    private static String refusal(io.weft.policy.proto.envoy.config.listener.v3.Listener listener, ByteString deep)
            throws InvalidProtocolBufferException {
        ParseOutcome outcome;
        Any manager = listener.getFilterChains(0).getFilters(0).getTypedConfig();
        var parsed = io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                .parseFrom(manager.getValue())
                .toBuilder();
        Any filter = parsed.getHttpFilters(0).getTypedConfig();
        parsed.setHttpFilters(0, parsed.getHttpFilters(0).toBuilder()
                .setTypedConfig(filter.toBuilder().setValue(nest(filter.getValue(), deep))));
        outcome = parse(listener.toBuilder()
                .setFilterChains(0, listener.getFilterChains(0).toBuilder()
                        .setFilters(0, listener.getFilterChains(0).getFilters(0).toBuilder().setTypedConfig(any(parsed.build()))))
                .build());
        assertThat(outcome).isInstanceOf(Refused.class);
        return ((Refused) outcome).reason();
    }

    /** The path of fields from the filter to the message: the rest of the filter does not matter. */
    private static ByteString nest(ByteString filter, ByteString deep) throws InvalidProtocolBufferException {
        var rbac = io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.parseFrom(filter);
        try {
            if (rbac.hasMatcher()) {
                ByteString matchers = wrapped(Matcher.MatcherList.FieldMatcher.PREDICATE_FIELD_NUMBER, deep);
                ByteString list = wrapped(Matcher.MatcherList.MATCHERS_FIELD_NUMBER, matchers);
                return wrapped(4, wrapped(Matcher.MATCHER_LIST_FIELD_NUMBER, list));
            }
            ByteString policy = wrapped(1, deep);
            ByteString entry = wrapped(1, ByteString.copyFromUtf8("p")).concat(wrapped(2, policy));
            return wrapped(1, wrapped(RBAC.POLICIES_FIELD_NUMBER, entry));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static ByteString wrapped(int field, ByteString value) throws IOException {
        ByteString.Output out = ByteString.newOutput();
        CodedOutputStream coded = CodedOutputStream.newInstance(out);
        coded.writeUInt32NoTag(field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED);
        coded.writeUInt32NoTag(value.size());
        coded.flush();
        return out.toByteString().concat(value);
    }
}
