package io.weft.policy.parse;

import static io.weft.policy.parse.Samples.*;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.weft.policy.model.CidrRange;
import io.weft.policy.model.FilterOverrides.Configured;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.HttpFilter;
import io.weft.policy.model.HttpFilter.AccessControl;
import io.weft.policy.model.HttpFilter.ConnectionAccessControl;
import io.weft.policy.model.HttpFilter.Skip;
import io.weft.policy.model.Listener;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.MatchTree.Act;
import io.weft.policy.model.MatchTree.ConnectionInput;
import io.weft.policy.model.NamedFilter;
import io.weft.policy.model.Rbac;
import io.weft.policy.model.Rbac.Action;
import io.weft.policy.model.Rbac.NamedAction;
import io.weft.policy.model.Rbac.Policy;
import io.weft.policy.model.Rbac.Rule;
import io.weft.policy.model.RouteConfiguration;
import io.weft.policy.model.StringMatch;
import io.weft.policy.model.Unhonoured;
import io.weft.policy.model.ValueMatch;
import io.weft.policy.parse.ParseOutcome.Accepted;
import io.weft.policy.parse.ParseOutcome.Refused;
import io.weft.policy.proto.envoy.config.core.v3.TrafficDirection;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.rbac.v3.MetadataSource;
import io.weft.policy.proto.envoy.config.rbac.v3.Permission;
import io.weft.policy.proto.envoy.config.rbac.v3.Principal;
import io.weft.policy.proto.envoy.config.rbac.v3.RBAC;
import io.weft.policy.proto.envoy.config.rbac.v3.SourcedMetadata;
import io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher;
import io.weft.policy.proto.envoy.extensions.common.matching.v3.ExtensionWithMatcher;
import io.weft.policy.proto.envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute;
import io.weft.policy.proto.envoy.extensions.filters.http.buffer.v3.Buffer;
import io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBACPerRoute;
import io.weft.policy.proto.envoy.extensions.matching.input_matchers.ip.v3.Ip;
import io.weft.policy.proto.envoy.type.matcher.v3.AddressMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.DoubleMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.FilterStateMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.HttpRequestHeaderMatchInput;
import io.weft.policy.proto.envoy.type.matcher.v3.HttpRequestQueryParamMatchInput;
import io.weft.policy.proto.envoy.type.matcher.v3.ListMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.MetadataMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.OrMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.PathMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.ValueMatcher;
import io.weft.policy.proto.envoy.type.v3.DoubleRange;
import io.weft.policy.proto.envoy.type.v3.Int32Range;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.xds.type.matcher.v3.IPMatcher;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** RBAC filters, the trees of the matcher API, and filters with a matcher around them. */
@SuppressWarnings("deprecation") // what older control planes send is honoured or refused, too
class AccessControlTest {
    private static final Permission ANY_PERMISSION = Permission.newBuilder().setAny(true).build();
    private static final Principal ANY_PRINCIPAL = Principal.newBuilder().setAny(true).build();
    private static final String FILTER = "filter_chains[0].filters[0].typed_config.http_filters[0].typed_config";

    private static io.weft.policy.proto.envoy.config.listener.v3.Listener withFilter(MessageLite config) {
        return withManager(manager -> manager.addHttpFilters(
                0,
                io.weft.policy.proto.envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter.newBuilder()
                        .setName("f")
                        .setTypedConfig(any(config))));
    }

    static io.weft.policy.proto.envoy.config.listener.v3.Listener withRules(RBAC rules) {
        return withFilter(
                io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.newBuilder().setRules(rules).build());
    }

    static RBAC rules(Permission permission, Principal principal) {
        return RBAC.newBuilder()
                .putPolicies(
                        "p",
                        io.weft.policy.proto.envoy.config.rbac.v3.Policy.newBuilder()
                                .addPermissions(permission)
                                .addPrincipals(principal)
                                .build())
                .build();
    }

    static io.weft.policy.proto.envoy.config.listener.v3.Listener withMatcher(Matcher matcher) {
        return withFilter(
                io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.newBuilder().setMatcher(matcher).build());
    }

    private static HttpFilter honoured(MessageLite listener) {
        ParseOutcome outcome = parse(listener);
        assertThat(outcome).isInstanceOf(Accepted.class);
        assertThat(((Accepted) outcome).unhonoured()).isEmpty();
        return ((Listener) ((Accepted) outcome).resource()).filterChains().get(0).http().filters().get(0).filter();
    }

    private static Rbac rbac(MessageLite listener) {
        return ((AccessControl) honoured(listener)).rbac();
    }

    private static Policy policy(Permission permission, Principal principal) {
        Rbac rbac = rbac(withRules(rules(permission, principal)));
        return ((Rbac.Policies) rbac.enforced().orElseThrow()).policies().get(0);
    }

    private static StringMatcher exact(String value) {
        return StringMatcher.newBuilder().setExact(value).build();
    }

    private static io.weft.policy.proto.envoy.config.core.v3.CidrRange cidr(String address, int length) {
        return io.weft.policy.proto.envoy.config.core.v3.CidrRange.newBuilder()
                .setAddressPrefix(address)
                .setPrefixLen(uint32(length))
                .build();
    }

    private static PathMatcher path(String path) {
        return PathMatcher.newBuilder().setPath(exact(path)).build();
    }

    static ValueMatcher text(String exact) {
        return ValueMatcher.newBuilder().setStringMatch(exact(exact)).build();
    }

    static MetadataMatcher claim(ValueMatcher value, String... path) {
        MetadataMatcher.Builder matcher = MetadataMatcher.newBuilder().setFilter("envoy.filters.http.jwt_authn").setValue(value);
        for (String key : path) {
            matcher.addPath(MetadataMatcher.PathSegment.newBuilder().setKey(key));
        }
        return matcher.build();
    }

    private static Rbac.Metadata payload(ValueMatch value) {
        return new Rbac.Metadata("envoy.filters.http.jwt_authn", List.of("payload", "iss"), value, false);
    }

    static Stream<Arguments> values() {
        ValueMatch a = new ValueMatch.Text(new StringMatch.Exact("a", false));
        return Stream.of(
                Arguments.of(text("a"), a),
                Arguments.of(ValueMatcher.newBuilder().setNullMatch(ValueMatcher.NullMatch.getDefaultInstance()).build(), new ValueMatch.Null()),
                Arguments.of(ValueMatcher.newBuilder().setBoolMatch(true).build(), new ValueMatch.Bool(true)),
                Arguments.of(ValueMatcher.newBuilder().setPresentMatch(true).build(), new ValueMatch.Present()),
                Arguments.of(ValueMatcher.newBuilder().setPresentMatch(false).build(), new ValueMatch.Never()),
                Arguments.of(ValueMatcher.newBuilder().setDoubleMatch(DoubleMatcher.newBuilder().setExact(2)).build(), new ValueMatch.Exactly(2)),
                Arguments.of(ValueMatcher.newBuilder().setDoubleMatch(DoubleMatcher.newBuilder()
                        .setRange(DoubleRange.newBuilder().setStart(1).setEnd(3))).build(), new ValueMatch.Between(1, 3)),
                Arguments.of(ValueMatcher.newBuilder().setListMatch(ListMatcher.newBuilder().setOneOf(text("a"))).build(), new ValueMatch.OneOf(a)),
                Arguments.of(ValueMatcher.newBuilder().setOrMatch(OrMatcher.newBuilder().addValueMatchers(text("a")).addValueMatchers(text("a")))
                        .build(), new ValueMatch.Or(List.of(a, a))));
    }

    @ParameterizedTest
    @MethodSource("values")
    void whatATokenSays(ValueMatcher matcher, ValueMatch value) {
        MetadataMatcher claim = claim(matcher, "payload", "iss");
        assertThat(policy(ANY_PERMISSION, principal(Principal.newBuilder().setMetadata(claim))).principals()).containsExactly(payload(value));
        assertThat(policy(permission(Permission.newBuilder().setMetadata(claim)), ANY_PRINCIPAL).permissions()).containsExactly(payload(value));
        SourcedMetadata sourced = SourcedMetadata.newBuilder().setMetadataMatcher(claim).build();
        assertThat(policy(permission(Permission.newBuilder().setSourcedMetadata(sourced)), ANY_PRINCIPAL).permissions())
                .containsExactly(payload(value));
        assertThat(policy(ANY_PERMISSION, principal(Principal.newBuilder().setSourcedMetadata(sourced))).principals())
                .containsExactly(payload(value));
    }

    private static Permission permission(Permission.Builder permission) {
        return permission.build();
    }

    private static Principal principal(Principal.Builder principal) {
        return principal.build();
    }

    @Test
    void noRulesForbidNothingAndEmptyRulesForbidEverything() {
        var empty = io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.getDefaultInstance();

        assertThat(rbac(withFilter(empty))).isEqualTo(new Rbac(Optional.empty(), Optional.empty()));
        assertThat(rbac(withRules(RBAC.getDefaultInstance())))
                .isEqualTo(new Rbac(Optional.of(new Rbac.Policies(Action.ALLOW, List.of())), Optional.empty()));
    }

    @Test
    void rulesAndShadowRules() {
        var policy = rules(ANY_PERMISSION, ANY_PRINCIPAL).getPoliciesOrThrow("p");
        RBAC deny = RBAC.newBuilder().setAction(RBAC.Action.DENY).putPolicies("b", policy).putPolicies("a", policy).build();
        RBAC log = RBAC.newBuilder().setAction(RBAC.Action.LOG).build();
        List<Rule> any = List.of(new Rbac.Any());

        assertThat(rbac(withFilter(io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.newBuilder()
                        .setRules(deny)
                        .setShadowRules(log)
                        .build())))
                .isEqualTo(new Rbac(
                        Optional.of(new Rbac.Policies(
                                Action.DENY, List.of(new Policy("a", any, any), new Policy("b", any, any)))),
                        Optional.of(new Rbac.Policies(Action.LOG, List.of()))));
    }

    static Stream<Arguments> permissions() {
        return Stream.of(
                Arguments.of(ANY_PERMISSION, new Rbac.Any()),
                Arguments.of(
                        permission(Permission.newBuilder().setAndRules(Permission.Set.newBuilder().addRules(ANY_PERMISSION))),
                        new Rbac.And(List.of(new Rbac.Any()))),
                Arguments.of(
                        permission(Permission.newBuilder().setOrRules(Permission.Set.newBuilder().addRules(ANY_PERMISSION))),
                        new Rbac.Or(List.of(new Rbac.Any()))),
                Arguments.of(permission(Permission.newBuilder().setNotRule(ANY_PERMISSION)), new Rbac.Not(new Rbac.Any())),
                Arguments.of(
                        permission(Permission.newBuilder().setHeader(HeaderMatcher.newBuilder().setName("X-A"))),
                        new Rbac.Header(new HeaderMatch("x-a", new HeaderMatch.Present(true), false, false))),
                Arguments.of(
                        permission(Permission.newBuilder().setUrlPath(path("/a"))),
                        new Rbac.UrlPath(new StringMatch.Exact("/a", false))),
                Arguments.of(
                        permission(Permission.newBuilder().setUriTemplate(Samples.template("/a/*"))),
                        new Rbac.UrlPath(new StringMatch.Regex("/a/[a-zA-Z0-9._~%!$&'()+,;:@=-]+"))),
                Arguments.of(
                        permission(Permission.newBuilder().setDestinationIp(cidr("10.0.0.0", 8))),
                        new Rbac.DestinationIp(new CidrRange("10.0.0.0", 8))),
                Arguments.of(
                        permission(Permission.newBuilder().setDestinationPort(8080)), new Rbac.DestinationPort(8080, 8081)),
                Arguments.of(
                        permission(Permission.newBuilder()
                                .setDestinationPortRange(Int32Range.newBuilder().setStart(1).setEnd(65_536))),
                        new Rbac.DestinationPort(1, 65_536)),
                Arguments.of(
                        permission(Permission.newBuilder().setRequestedServerName(exact("a"))),
                        new Rbac.RequestedServerName(new StringMatch.Exact("a", false))));
    }

    @ParameterizedTest
    @MethodSource("permissions")
    void whatIsAsked(Permission permission, Rule rule) {
        assertThat(policy(permission, ANY_PRINCIPAL).permissions()).containsExactly(rule);
    }

    static Stream<Arguments> principals() {
        CidrRange ten = new CidrRange("10.0.0.0", 8);
        return Stream.of(
                Arguments.of(ANY_PRINCIPAL, new Rbac.Any()),
                Arguments.of(
                        principal(Principal.newBuilder().setAndIds(Principal.Set.newBuilder().addIds(ANY_PRINCIPAL))),
                        new Rbac.And(List.of(new Rbac.Any()))),
                Arguments.of(
                        principal(Principal.newBuilder().setOrIds(Principal.Set.newBuilder().addIds(ANY_PRINCIPAL))),
                        new Rbac.Or(List.of(new Rbac.Any()))),
                Arguments.of(principal(Principal.newBuilder().setNotId(ANY_PRINCIPAL)), new Rbac.Not(new Rbac.Any())),
                Arguments.of(
                        principal(Principal.newBuilder().setAuthenticated(Principal.Authenticated.getDefaultInstance())),
                        new Rbac.Authenticated(Optional.empty())),
                Arguments.of(
                        principal(Principal.newBuilder().setAuthenticated(
                                Principal.Authenticated.newBuilder().setPrincipalName(exact("spiffe://a")))),
                        new Rbac.Authenticated(Optional.of(new StringMatch.Exact("spiffe://a", false)))),
                Arguments.of(
                        principal(Principal.newBuilder().setFilterState(
                                FilterStateMatcher.newBuilder().setKey("k").setStringMatch(exact("v")))),
                        new Rbac.FilterState("k", new StringMatch.Exact("v", false))),
                Arguments.of(
                        principal(Principal.newBuilder().setSourceIp(cidr("10.0.0.0", 8))),
                        new Rbac.SourceIp(Rbac.Source.PEER, ten)),
                Arguments.of(
                        principal(Principal.newBuilder().setDirectRemoteIp(cidr("10.0.0.0", 8))),
                        new Rbac.SourceIp(Rbac.Source.PEER, ten)),
                Arguments.of(
                        principal(Principal.newBuilder().setRemoteIp(cidr("10.0.0.0", 8))),
                        new Rbac.SourceIp(Rbac.Source.CLIENT, ten)),
                Arguments.of(
                        principal(Principal.newBuilder().setHeader(HeaderMatcher.newBuilder().setName(":method"))),
                        new Rbac.Header(new HeaderMatch(":method", new HeaderMatch.Present(true), false, false))),
                Arguments.of(
                        principal(Principal.newBuilder().setUrlPath(path("/a"))),
                        new Rbac.UrlPath(new StringMatch.Exact("/a", false))));
    }

    @ParameterizedTest
    @MethodSource("principals")
    void whoAsks(Principal principal, Rule rule) {
        assertThat(policy(ANY_PERMISSION, principal).principals()).containsExactly(rule);
    }

    @Test
    void aRangeWithoutALengthHoldsEveryAddressAndNoneIsLongerThanAnAddress() {
        var everything = io.weft.policy.proto.envoy.config.core.v3.CidrRange.newBuilder().setAddressPrefix("10.1.1.1").build();

        assertThat(policy(ANY_PERMISSION, principal(Principal.newBuilder().setSourceIp(everything))).principals())
                .containsExactly(new Rbac.SourceIp(Rbac.Source.PEER, new CidrRange("10.1.1.1", 0)));
        assertThat(policy(ANY_PERMISSION, principal(Principal.newBuilder().setSourceIp(cidr("10.1.1.1", 64)))).principals())
                .containsExactly(new Rbac.SourceIp(Rbac.Source.PEER, new CidrRange("10.1.1.1", 32)));
        assertThat(policy(ANY_PERMISSION, principal(Principal.newBuilder().setSourceIp(cidr("fd00::", 64)))).principals())
                .containsExactly(new Rbac.SourceIp(Rbac.Source.PEER, new CidrRange("fd00::", 64)));
    }

    @Test
    void aRouteHasRulesOfItsOwnOrNone() {
        var rbac = io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.newBuilder().setRules(RBAC.getDefaultInstance());
        Rbac none = new Rbac(Optional.empty(), Optional.empty());
        Rbac nobody = new Rbac(Optional.of(new Rbac.Policies(Action.ALLOW, List.of())), Optional.empty());

        assertThat(override(RBACPerRoute.getDefaultInstance())).isEqualTo(new Configured(new AccessControl(none)));
        assertThat(override(RBACPerRoute.newBuilder().setRbac(rbac).build()))
                .isEqualTo(new Configured(new AccessControl(nobody)));
    }

    private static Object override(MessageLite config) {
        ParseOutcome outcome = parse(routes(r -> r.putTypedPerFilterConfig("f", any(config))));
        assertThat(outcome).isInstanceOf(Accepted.class);
        return ((RouteConfiguration) ((Accepted) outcome).resource()).filters().byFilter().get("f");
    }

    private static io.weft.policy.proto.envoy.config.listener.v3.Listener inbound(
            io.weft.policy.proto.envoy.extensions.filters.network.rbac.v3.RBAC.Builder rbac) {
        return withChain(chain -> chain.addFilters(0, filter("envoy.filters.network.rbac", any(rbac.build())))).toBuilder()
                .setTrafficDirection(TrafficDirection.INBOUND)
                .build();
    }

    private static io.weft.policy.proto.envoy.extensions.filters.network.rbac.v3.RBAC.Builder network(
            Permission permission, Principal principal) {
        return io.weft.policy.proto.envoy.extensions.filters.network.rbac.v3.RBAC.newBuilder()
                .setStatPrefix("s")
                .setRules(rules(permission, principal));
    }

    @Test
    void aConnectionsRulesComeBeforeTheFiltersAndNoRouteCanName() {
        ParseOutcome outcome = parse(inbound(network(ANY_PERMISSION, ANY_PRINCIPAL)));

        assertThat(outcome).isInstanceOf(Accepted.class);
        assertThat(((Listener) ((Accepted) outcome).resource()).filterChains().get(0).http().filters())
                .containsExactly(new NamedFilter(
                        "connection envoy.filters.network.rbac",
                        new ConnectionAccessControl(rbac(withRules(rules(ANY_PERMISSION, ANY_PRINCIPAL)))),
                        false));
    }

    @Test
    void noHeaderSpeaksForAConnection() {
        ParseOutcome rules = parse(inbound(
                network(ANY_PERMISSION, principal(Principal.newBuilder().setRemoteIp(cidr("10.0.0.0", 8))))));
        ParseOutcome tree = parse(inbound(network(ANY_PERMISSION, ANY_PRINCIPAL)
                .clearRules()
                .setMatcher(list(single(input("network.v3.SourceIPInput"), "10.0.0.7")))));

        assertThat(((Accepted) rules).resource().toString()).contains("source=PEER").doesNotContain("CLIENT");
        assertThat(((Accepted) tree).resource().toString()).contains("input=DIRECT_SOURCE_IP");
    }

    static Stream<Case> refusedOnConnections() {
        String rbac = "filter_chains[0].filters[0].typed_config";
        String policy = rbac + ".rules.policies[\"p\"]";
        return Stream.of(
                new Case(rbac + ".stat_prefix", "empty", inbound(network(ANY_PERMISSION, ANY_PRINCIPAL).clearStatPrefix())),
                new Case(policy + ".permissions[0].header", "not known of a connection", inbound(network(
                        permission(Permission.newBuilder().setHeader(HeaderMatcher.newBuilder().setName("a"))), ANY_PRINCIPAL))),
                new Case(policy + ".principals[0].url_path", "not known of a connection", inbound(network(
                        ANY_PERMISSION, principal(Principal.newBuilder().setUrlPath(path("/a")))))),
                new Case(rbac + ".matcher.matcher_list.matchers[0].predicate.single_predicate.input.typed_config",
                        "use one of the connection",
                        inbound(network(ANY_PERMISSION, ANY_PRINCIPAL).clearRules().setMatcher(list(single(
                                extension(any(HttpRequestHeaderMatchInput.newBuilder().setHeaderName("a").build())), "v"))))),
                new Case("filter_chains[0].filters[0]", "not enforced", inbound(network(ANY_PERMISSION, ANY_PRINCIPAL)).toBuilder()
                        .setTrafficDirection(TrafficDirection.OUTBOUND)
                        .build()));
    }

    @ParameterizedTest
    @MethodSource("refusedOnConnections")
    void namesWhatConnectionsCannotBeAsked(Case refused) {
        namesTheFieldAndTheReason(refused);
    }

    // Trees.

    static io.weft.policy.proto.xds.core.v3.TypedExtensionConfig extension(Any config) {
        return io.weft.policy.proto.xds.core.v3.TypedExtensionConfig.newBuilder().setName("e").setTypedConfig(config).build();
    }

    static io.weft.policy.proto.xds.core.v3.TypedExtensionConfig input(String type) {
        return extension(any("envoy.extensions.matching.common_inputs." + type));
    }

    static Matcher.OnMatch act(String name, RBAC.Action action) {
        return Matcher.OnMatch.newBuilder()
                .setAction(extension(any(io.weft.policy.proto.envoy.config.rbac.v3.Action.newBuilder()
                        .setName(name)
                        .setAction(action)
                        .build())))
                .build();
    }

    static Matcher.MatcherList.Predicate single(io.weft.policy.proto.xds.core.v3.TypedExtensionConfig input, String value) {
        return Matcher.MatcherList.Predicate.newBuilder()
                .setSinglePredicate(Matcher.MatcherList.Predicate.SinglePredicate.newBuilder()
                        .setInput(input)
                        .setValueMatch(io.weft.policy.proto.xds.type.matcher.v3.StringMatcher.newBuilder().setExact(value)))
                .build();
    }

    static Matcher list(Matcher.MatcherList.Predicate predicate) {
        return Matcher.newBuilder()
                .setMatcherList(Matcher.MatcherList.newBuilder().addMatchers(Matcher.MatcherList.FieldMatcher.newBuilder()
                        .setPredicate(predicate)
                        .setOnMatch(act("a", RBAC.Action.ALLOW))))
                .build();
    }

    static Matcher tree(Matcher.MatcherTree.Builder tree) {
        return Matcher.newBuilder().setMatcherTree(tree).build();
    }

    private static MatchTree<NamedAction> parsed(Matcher matcher) {
        return ((Rbac.Tree) rbac(withMatcher(matcher)).enforced().orElseThrow()).tree();
    }

    private static MatchTree.Predicate predicate(Matcher.MatcherList.Predicate predicate) {
        return ((MatchTree.Sequence<NamedAction>) parsed(list(predicate)).branches().orElseThrow()).branches().get(0).predicate();
    }

    @Test
    void whatKumaSends() {
        Matcher matcher = list(single(input("ssl.v3.UriSanInput"), "spiffe://mesh/a")).toBuilder()
                .setOnNoMatch(act("default", RBAC.Action.DENY))
                .build();

        assertThat(parsed(matcher)).isEqualTo(new MatchTree<>(
                Optional.of(new MatchTree.Sequence<>(List.of(new MatchTree.Branch<>(
                        new MatchTree.Text(ConnectionInput.URI_SAN, new StringMatch.Exact("spiffe://mesh/a", false)),
                        new Act<>(new NamedAction("a", Action.ALLOW)))))),
                Optional.of(new Act<>(new NamedAction("default", Action.DENY)))));
    }

    @Test
    void predicates() {
        var a = single(input("ssl.v3.UriSanInput"), "a");
        MatchTree.Predicate text = new MatchTree.Text(ConnectionInput.URI_SAN, new StringMatch.Exact("a", false));
        var two = Matcher.MatcherList.Predicate.PredicateList.newBuilder().addPredicate(a).addPredicate(a);

        assertThat(predicate(Matcher.MatcherList.Predicate.newBuilder().setOrMatcher(two).build()))
                .isEqualTo(new MatchTree.Or(List.of(text, text)));
        assertThat(predicate(Matcher.MatcherList.Predicate.newBuilder().setAndMatcher(two).build()))
                .isEqualTo(new MatchTree.And(List.of(text, text)));
        assertThat(predicate(Matcher.MatcherList.Predicate.newBuilder().setNotMatcher(a).build()))
                .isEqualTo(new MatchTree.Not(text));
        assertThat(predicate(Matcher.MatcherList.Predicate.newBuilder()
                        .setSinglePredicate(Matcher.MatcherList.Predicate.SinglePredicate.newBuilder()
                                .setInput(input("network.v3.SourceIPInput"))
                                .setCustomMatch(extension(any(Ip.newBuilder()
                                        .addCidrRanges(cidr("10.0.0.0", 8))
                                        .setStatPrefix("s")
                                        .build()))))
                        .build()))
                .isEqualTo(new MatchTree.InRange(ConnectionInput.SOURCE_IP, List.of(new CidrRange("10.0.0.0", 8))));
    }

    static Stream<Arguments> inputs() {
        return Stream.of(
                Arguments.of(input("ssl.v3.UriSanInput"), ConnectionInput.URI_SAN),
                Arguments.of(input("ssl.v3.DnsSanInput"), ConnectionInput.DNS_SAN),
                Arguments.of(input("ssl.v3.SubjectInput"), ConnectionInput.SUBJECT),
                Arguments.of(input("network.v3.ServerNameInput"), ConnectionInput.SERVER_NAME),
                Arguments.of(input("network.v3.SourceIPInput"), ConnectionInput.SOURCE_IP),
                Arguments.of(input("network.v3.SourcePortInput"), ConnectionInput.SOURCE_PORT),
                Arguments.of(input("network.v3.DestinationIPInput"), ConnectionInput.DESTINATION_IP),
                Arguments.of(input("network.v3.DestinationPortInput"), ConnectionInput.DESTINATION_PORT),
                Arguments.of(input("network.v3.DirectSourceIPInput"), ConnectionInput.DIRECT_SOURCE_IP),
                Arguments.of(input("network.v3.SourceTypeInput"), ConnectionInput.SOURCE_TYPE),
                Arguments.of(
                        extension(any(HttpRequestHeaderMatchInput.newBuilder().setHeaderName("X-A").build())),
                        new MatchTree.RequestHeader("x-a")),
                Arguments.of(
                        extension(any(HttpRequestQueryParamMatchInput.newBuilder().setQueryParam("q").build())),
                        new MatchTree.QueryParameter("q")));
    }

    @ParameterizedTest
    @MethodSource("inputs")
    void whatIsLookedAt(io.weft.policy.proto.xds.core.v3.TypedExtensionConfig input, MatchTree.Input expected) {
        assertThat(predicate(single(input, "v"))).isEqualTo(new MatchTree.Text(expected, new StringMatch.Exact("v", false)));
    }

    @Test
    void maps() {
        var map = Matcher.MatcherTree.MatchMap.newBuilder().putMap("k", act("a", RBAC.Action.LOG));
        Map<String, MatchTree.OnMatch<NamedAction>> expected = Map.of("k", new Act<>(new NamedAction("a", Action.LOG)));

        assertThat(parsed(tree(Matcher.MatcherTree.newBuilder().setInput(input("ssl.v3.UriSanInput")).setExactMatchMap(map)))
                        .branches())
                .contains(new MatchTree.ExactMap<>(ConnectionInput.URI_SAN, expected));
        assertThat(parsed(tree(Matcher.MatcherTree.newBuilder().setInput(input("ssl.v3.UriSanInput")).setPrefixMatchMap(map)))
                        .branches())
                .contains(new MatchTree.PrefixMap<>(ConnectionInput.URI_SAN, expected));
    }

    @Test
    void rangesOfAddressesAndNestedTrees() {
        Matcher nested = Matcher.newBuilder().setOnNoMatch(act("a", RBAC.Action.ALLOW)).build();
        IPMatcher ranges = IPMatcher.newBuilder()
                .addRangeMatchers(IPMatcher.IPRangeMatcher.newBuilder()
                        .addRanges(io.weft.policy.proto.xds.core.v3.CidrRange.newBuilder()
                                .setAddressPrefix("10.0.0.0")
                                .setPrefixLen(uint32(8)))
                        .setOnMatch(Matcher.OnMatch.newBuilder().setMatcher(nested))
                        .setExclusive(true))
                .build();

        assertThat(parsed(tree(Matcher.MatcherTree.newBuilder()
                                .setInput(input("network.v3.SourceIPInput"))
                                .setCustomMatch(extension(any(ranges)))))
                        .branches())
                .contains(new MatchTree.Ranges<>(ConnectionInput.SOURCE_IP, List.of(new MatchTree.RangeBranch<>(
                        List.of(new CidrRange("10.0.0.0", 8)),
                        new MatchTree.Descend<>(new MatchTree<>(
                                Optional.empty(), Optional.of(new Act<>(new NamedAction("a", Action.ALLOW))))),
                        true))));
    }

    @Test
    void aTreeWinsOverRulesAsInEnvoy() {
        ParseOutcome outcome = parse(withFilter(io.weft.policy.proto.envoy.extensions.filters.http.rbac.v3.RBAC.newBuilder()
                .setRules(RBAC.getDefaultInstance())
                .setMatcher(Matcher.getDefaultInstance())
                .build()));

        assertThat(((Accepted) outcome).unhonoured())
                .containsExactly(new Unhonoured("Listener outbound:80", FILTER + ".rules"));
    }

    // Filters with a matcher around them.

    private static ExtensionWithMatcher.Builder conditional(Any skip) {
        Matcher.OnMatch onMatch = Matcher.OnMatch.newBuilder().setAction(extension(skip)).build();
        return ExtensionWithMatcher.newBuilder()
                .setExtensionConfig(TypedExtensionConfig.newBuilder()
                        .setName("limit")
                        .setTypedConfig(any(Buffer.newBuilder().setMaxRequestBytes(uint32(7)).build())))
                .setXdsMatcher(Matcher.newBuilder().setOnNoMatch(onMatch));
    }

    private static final Any SKIP = any("envoy.extensions.filters.common.matcher.action.v3.SkipFilter");

    @Test
    void aFilterPassesOverWhatMatches() {
        MatchTree<Skip> always = new MatchTree<>(Optional.empty(), Optional.of(new Act<>(new Skip())));

        assertThat(honoured(withFilter(conditional(SKIP).build())))
                .isEqualTo(new HttpFilter.Conditional(always, new HttpFilter.Buffer(7)));
        assertThat(override(ExtensionWithMatcherPerRoute.newBuilder().setXdsMatcher(conditional(SKIP).getXdsMatcher()).build()))
                .isEqualTo(new Configured(new HttpFilter.ConditionOfRoute(always)));
    }

    // Refusals.

    private record Case(String path, String reason, MessageLite resource) {
        @Override
        public String toString() {
            return path + ": " + reason;
        }
    }

    private static Case permission(String path, String reason, Permission.Builder permission) {
        return new Case(
                FILTER + ".rules.policies[\"p\"].permissions[0]." + path, reason, withRules(rules(permission.build(), ANY_PRINCIPAL)));
    }

    private static Case principal(String path, String reason, Principal.Builder principal) {
        return new Case(
                FILTER + ".rules.policies[\"p\"].principals[0]." + path, reason, withRules(rules(ANY_PERMISSION, principal.build())));
    }

    private static Case matcher(String path, String reason, Matcher matcher) {
        return new Case(FILTER + ".matcher" + path, reason, withMatcher(matcher));
    }

    private static Case policy(String path, String reason, io.weft.policy.proto.envoy.config.rbac.v3.Policy.Builder policy) {
        return new Case(
                FILTER + ".rules.policies[\"p\"]." + path,
                reason,
                withRules(RBAC.newBuilder().putPolicies("p", policy.build()).build()));
    }

    private static io.weft.policy.proto.envoy.config.rbac.v3.Policy.Builder policy() {
        return rules(ANY_PERMISSION, ANY_PRINCIPAL).getPoliciesOrThrow("p").toBuilder();
    }

    static Stream<Case> refused() {
        TypedExtensionConfig unknown =
                TypedExtensionConfig.newBuilder().setName("envoy.x").setTypedConfig(any("x.Y")).build();
        String list = ".matcher_list.matchers[0]";
        return Stream.of(
                policy("condition", "not supported", policy().setCondition(ByteString.copyFromUtf8("\n\0"))),
                policy("checked_condition", "not supported", policy().setCheckedCondition(ByteString.copyFromUtf8("\n\0"))),
                policy("permissions", "empty", policy().clearPermissions()),
                policy("principals", "empty", policy().clearPrincipals()),
                permission("any", "must be true", Permission.newBuilder().setAny(false)),
                permission("and_rules.rules", "empty", Permission.newBuilder().setAndRules(Permission.Set.getDefaultInstance())),
                permission("or_rules.rules", "empty", Permission.newBuilder().setOrRules(Permission.Set.getDefaultInstance())),
                permission("header.name", "empty", Permission.newBuilder().setHeader(HeaderMatcher.getDefaultInstance())),
                permission("url_path.path", "missing", Permission.newBuilder().setUrlPath(PathMatcher.getDefaultInstance())),
                permission("destination_ip.address_prefix", "not an IP address",
                        Permission.newBuilder().setDestinationIp(cidr("orders", 8))),
                permission("destination_ip.prefix_len", "0 to 128",
                        Permission.newBuilder().setDestinationIp(cidr("::", 129))),
                permission("destination_port", "0 to 65535", Permission.newBuilder().setDestinationPort(65_536)),
                permission("destination_port_range", "hold a port", Permission.newBuilder()
                        .setDestinationPortRange(Int32Range.newBuilder().setStart(80).setEnd(80))),
                permission("metadata.filter", "must be envoy.filters.http.jwt_authn",
                        Permission.newBuilder().setMetadata(MetadataMatcher.getDefaultInstance())),
                permission("sourced_metadata.metadata_matcher", "is missing",
                        Permission.newBuilder().setSourcedMetadata(SourcedMetadata.getDefaultInstance())),
                permission("uri_template.typed_config", "'x.Y' is not supported", Permission.newBuilder().setUriTemplate(unknown)),
                permission("matcher", "'envoy.x' (x.Y)", Permission.newBuilder().setMatcher(unknown)),
                permission("requested_server_name", "no pattern",
                        Permission.newBuilder().setRequestedServerName(StringMatcher.getDefaultInstance())),
                principal("any", "must be true", Principal.newBuilder().setAny(false)),
                principal("and_ids.ids", "empty", Principal.newBuilder().setAndIds(Principal.Set.getDefaultInstance())),
                principal("authenticated.principal_name", "no pattern", Principal.newBuilder().setAuthenticated(
                        Principal.Authenticated.newBuilder().setPrincipalName(StringMatcher.getDefaultInstance()))),
                principal("metadata.filter", "must be envoy.filters.http.jwt_authn",
                        Principal.newBuilder().setMetadata(claim(text("a"), "iss").toBuilder().setFilter("envoy.filters.http.ext_authz"))),
                principal("metadata.path", "at least one", Principal.newBuilder().setMetadata(claim(text("a")))),
                principal("metadata.path[1].key", "empty", Principal.newBuilder().setMetadata(claim(text("a"), "payload", ""))),
                principal("metadata.value", "missing",
                        Principal.newBuilder().setMetadata(claim(text("a"), "iss").toBuilder().clearValue())),
                principal("metadata.value", "set string_match",
                        Principal.newBuilder().setMetadata(claim(ValueMatcher.getDefaultInstance(), "iss"))),
                principal("metadata.value.double_match", "range or exact", Principal.newBuilder().setMetadata(
                        claim(ValueMatcher.newBuilder().setDoubleMatch(DoubleMatcher.getDefaultInstance()).build(), "iss"))),
                principal("metadata.value.list_match.one_of", "missing", Principal.newBuilder().setMetadata(
                        claim(ValueMatcher.newBuilder().setListMatch(ListMatcher.getDefaultInstance()).build(), "iss"))),
                principal("metadata.value.or_match.value_matchers", "two", Principal.newBuilder().setMetadata(
                        claim(ValueMatcher.newBuilder().setOrMatch(OrMatcher.newBuilder().addValueMatchers(text("a"))).build(), "iss"))),
                principal("sourced_metadata.metadata_source", "DYNAMIC", Principal.newBuilder().setSourcedMetadata(
                        SourcedMetadata.newBuilder().setMetadataMatcher(claim(text("a"), "iss")).setMetadataSource(MetadataSource.ROUTE))),
                principal("filter_state.key", "empty",
                        Principal.newBuilder().setFilterState(FilterStateMatcher.getDefaultInstance())),
                principal("filter_state.string_match", "is missing",
                        Principal.newBuilder().setFilterState(FilterStateMatcher.newBuilder().setKey("k"))),
                principal("filter_state.address_match", "use string_match", Principal.newBuilder().setFilterState(
                        FilterStateMatcher.newBuilder().setKey("k").setAddressMatch(AddressMatcher.getDefaultInstance()))),
                principal("custom", "'envoy.x' (x.Y)", Principal.newBuilder().setCustom(unknown)),
                new Case(FILTER + ".rules.policies[\"p\"].permissions[0]", "empty",
                        withRules(rules(Permission.getDefaultInstance(), ANY_PRINCIPAL))),
                new Case(FILTER + ".rules.policies[\"p\"].principals[0]", "empty",
                        withRules(rules(ANY_PERMISSION, Principal.getDefaultInstance()))),
                new Case(FILTER + ".rules.action", "none of",
                        withRules(RBAC.newBuilder().setActionValue(17).build())),
                matcher(list + ".predicate", "empty", list(Matcher.MatcherList.Predicate.getDefaultInstance())),
                matcher(list + ".predicate.or_matcher.predicate", "two", list(Matcher.MatcherList.Predicate.newBuilder()
                        .setOrMatcher(Matcher.MatcherList.Predicate.PredicateList.newBuilder()
                                .addPredicate(single(input("ssl.v3.UriSanInput"), "a")))
                        .build())),
                matcher(list + ".predicate.single_predicate.input.typed_config", "not supported here",
                        list(single(extension(any("xds.type.matcher.v3.HttpAttributesCelMatchInput")), "a"))),
                matcher(list + ".predicate.single_predicate.input.typed_config.header_name", "empty",
                        list(single(extension(any(HttpRequestHeaderMatchInput.getDefaultInstance())), "a"))),
                matcher(list + ".predicate.single_predicate.custom_match.typed_config", "'x.Y' is not supported",
                        list(Matcher.MatcherList.Predicate.newBuilder()
                                .setSinglePredicate(Matcher.MatcherList.Predicate.SinglePredicate.newBuilder()
                                        .setInput(input("network.v3.SourceIPInput"))
                                        .setCustomMatch(extension(any("x.Y"))))
                                .build())),
                matcher(".matcher_list.matchers", "empty",
                        Matcher.newBuilder().setMatcherList(Matcher.MatcherList.getDefaultInstance()).build()),
                matcher(".matcher_tree.exact_match_map.map", "empty", tree(Matcher.MatcherTree.newBuilder()
                        .setInput(input("ssl.v3.UriSanInput"))
                        .setExactMatchMap(Matcher.MatcherTree.MatchMap.getDefaultInstance()))),
                matcher(".matcher_tree.custom_match.typed_config", "'x.Y' is not supported", tree(Matcher.MatcherTree.newBuilder()
                        .setInput(input("ssl.v3.UriSanInput"))
                        .setCustomMatch(extension(any("x.Y"))))),
                matcher(".matcher_tree", "no branches",
                        tree(Matcher.MatcherTree.newBuilder().setInput(input("ssl.v3.UriSanInput")))),
                matcher(".on_no_match", "empty", Matcher.newBuilder().setOnNoMatch(Matcher.OnMatch.getDefaultInstance()).build()),
                matcher(".on_no_match.action.typed_config", "must be", Matcher.newBuilder()
                        .setOnNoMatch(Matcher.OnMatch.newBuilder().setAction(extension(any("x.Y"))))
                        .build()),
                matcher(".on_no_match.action.typed_config.name", "empty",
                        Matcher.newBuilder().setOnNoMatch(act("", RBAC.Action.ALLOW)).build()),
                new Case(FILTER + ".xds_matcher", "missing", withFilter(conditional(SKIP).clearXdsMatcher().build())),
                new Case(FILTER + ".matcher", "use xds_matcher",
                        withFilter(conditional(SKIP).setMatcher(ByteString.copyFromUtf8("x")).build())),
                new Case(FILTER + ".xds_matcher.on_no_match.action.typed_config", "SkipFilter",
                        withFilter(conditional(any("x.Y")).build())),
                new Case(FILTER + ".extension_config.typed_config", "required but not supported", withFilter(conditional(SKIP)
                        .setExtensionConfig(unknown)
                        .build())),
                new Case(FILTER + ".extension_config.typed_config", "within a matcher", withFilter(conditional(SKIP)
                        .setExtensionConfig(TypedExtensionConfig.newBuilder().setTypedConfig(any(conditional(SKIP).build())))
                        .build())));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void namesTheFieldAndTheReason(Case refused) {
        ParseOutcome outcome = parse(refused.resource());

        assertThat(outcome).isInstanceOf(Refused.class);
        assertThat(((Refused) outcome).path()).isEqualTo(refused.path());
        assertThat(((Refused) outcome).reason()).contains(refused.reason());
    }
}
