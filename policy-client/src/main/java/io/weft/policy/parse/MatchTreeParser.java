package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import io.weft.policy.model.CidrRange;
import io.weft.policy.model.MatchTree;
import io.weft.policy.model.MatchTree.ConnectionInput;
import io.weft.policy.model.MatchTree.Input;
import io.weft.policy.model.MatchTree.OnMatch;
import io.weft.policy.model.MatchTree.Predicate;
import io.weft.policy.model.StringMatch;
import io.weft.policy.proto.envoy.extensions.matching.input_matchers.ip.v3.Ip;
import io.weft.policy.proto.envoy.type.matcher.v3.HttpRequestHeaderMatchInput;
import io.weft.policy.proto.envoy.type.matcher.v3.HttpRequestQueryParamMatchInput;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.xds.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.xds.type.matcher.v3.IPMatcher;
import io.weft.policy.proto.xds.type.matcher.v3.Matcher;
import io.weft.policy.proto.xds.type.matcher.v3.StringMatcher;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * {@code xds.type.matcher.v3.Matcher}. How deep predicates nest is bounded by the protobuf parser (100 messages), how large a tree
 * is by the size of the resource.
 *
 * @param <A> what a match leads to
 */
final class MatchTreeParser<A> {
    private static final String NETWORK_INPUTS = "envoy.extensions.matching.common_inputs.network.v3.";
    private static final String SSL_INPUTS = "envoy.extensions.matching.common_inputs.ssl.v3.";
    private static final Map<String, ConnectionInput> CONNECTION_INPUTS = Map.ofEntries(
            Map.entry(SSL_INPUTS + "UriSanInput", ConnectionInput.URI_SAN),
            Map.entry(SSL_INPUTS + "DnsSanInput", ConnectionInput.DNS_SAN),
            Map.entry(SSL_INPUTS + "SubjectInput", ConnectionInput.SUBJECT),
            Map.entry(NETWORK_INPUTS + "ServerNameInput", ConnectionInput.SERVER_NAME),
            Map.entry(NETWORK_INPUTS + "SourceIPInput", ConnectionInput.SOURCE_IP),
            Map.entry(NETWORK_INPUTS + "SourcePortInput", ConnectionInput.SOURCE_PORT),
            Map.entry(NETWORK_INPUTS + "DestinationIPInput", ConnectionInput.DESTINATION_IP),
            Map.entry(NETWORK_INPUTS + "DestinationPortInput", ConnectionInput.DESTINATION_PORT),
            Map.entry(NETWORK_INPUTS + "DirectSourceIPInput", ConnectionInput.DIRECT_SOURCE_IP),
            Map.entry(NETWORK_INPUTS + "SourceTypeInput", ConnectionInput.SOURCE_TYPE));
    private static final String REQUEST_HEADER = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput";
    private static final String QUERY_PARAMETER = "envoy.type.matcher.v3.HttpRequestQueryParamMatchInput";
    private static final String IP = "envoy.extensions.matching.input_matchers.ip.v3.Ip";
    private static final String IP_TREE = "xds.type.matcher.v3.IPMatcher";

    /** An action, by the type of its message. */
    interface Actions<A> {
        A parse(Field field, Any config);
    }

    /** What is there to be looked at. */
    enum Scope { CONNECTION, REQUEST }

    /** Trees can nest in an Any each, where protobuf's own bound begins anew. */
    private static final int MAX_DEPTH = 32;

    private final Scope scope;
    private final Actions<A> actions;
    private int depth;

    MatchTreeParser(Scope scope, Actions<A> actions) {
        this.scope = scope;
        this.actions = actions;
    }

    MatchTree<A> parse(Field field, Matcher matcher) {
        if (++depth > MAX_DEPTH) {
            throw field.refuse("is nested more than " + MAX_DEPTH + " deep");
        }
        MatchTree<A> tree = node(field, matcher);
        depth--;
        return tree;
    }

    private MatchTree<A> node(Field field, Matcher matcher) {
        Optional<OnMatch<A>> onNoMatch = matcher.hasOnNoMatch()
                ? Optional.of(onMatch(field.at("on_no_match"), matcher.getOnNoMatch()))
                : Optional.empty();
        switch (matcher.getMatcherTypeCase()) {
            case MATCHER_LIST:
                return new MatchTree<>(Optional.of(list(field.at("matcher_list"), matcher.getMatcherList())), onNoMatch);
            case MATCHER_TREE:
                return new MatchTree<>(Optional.of(tree(field.at("matcher_tree"), matcher.getMatcherTree())), onNoMatch);
            default:
                return new MatchTree<>(Optional.empty(), onNoMatch);
        }
    }

    private OnMatch<A> onMatch(Field field, Matcher.OnMatch onMatch) {
        switch (onMatch.getOnMatchCase()) {
            case MATCHER:
                return new MatchTree.Descend<>(parse(field.at("matcher"), onMatch.getMatcher()));
            case ACTION:
                TypedExtensionConfig action = onMatch.getAction();
                return new MatchTree.Act<>(
                        actions.parse(field.at("action").at("typed_config"), action.getTypedConfig()));
            default:
                throw field.refuse("is empty; set matcher or action");
        }
    }

    private MatchTree.Branches<A> list(Field field, Matcher.MatcherList list) {
        field.refuseIf(list.getMatchersCount() == 0, "matchers", "is empty; set at least one");
        List<MatchTree.Branch<A>> branches = new ArrayList<>(list.getMatchersCount());
        for (int i = 0; i < list.getMatchersCount(); i++) {
            Field at = field.at("matchers", i);
            Matcher.MatcherList.FieldMatcher matcher = list.getMatchers(i);
            branches.add(new MatchTree.Branch<>(
                    predicate(at.at("predicate"), matcher.getPredicate()),
                    onMatch(at.at("on_match"), matcher.getOnMatch())));
        }
        return new MatchTree.Sequence<>(branches);
    }

    private MatchTree.Branches<A> tree(Field field, Matcher.MatcherTree tree) {
        Input input = input(field.at("input"), tree.getInput());
        switch (tree.getTreeTypeCase()) {
            case EXACT_MATCH_MAP:
                return new MatchTree.ExactMap<>(input, map(field.at("exact_match_map"), tree.getExactMatchMap()));
            case PREFIX_MATCH_MAP:
                return new MatchTree.PrefixMap<>(input, map(field.at("prefix_match_map"), tree.getPrefixMatchMap()));
            case CUSTOM_MATCH:
                return ranges(field.at("custom_match").at("typed_config"), input, tree.getCustomMatch().getTypedConfig());
            default:
                throw field.refuse("has no branches; set exact_match_map, prefix_match_map or an IPMatcher as custom_match");
        }
    }

    private Map<String, OnMatch<A>> map(Field field, Matcher.MatcherTree.MatchMap map) {
        field.refuseIf(map.getMapCount() == 0, "map", "is empty; set at least one entry");
        Map<String, OnMatch<A>> parsed = new HashMap<>();
        for (Map.Entry<String, Matcher.OnMatch> entry : new TreeMap<>(map.getMapMap()).entrySet()) {
            parsed.put(entry.getKey(), onMatch(field.at("map", entry.getKey()), entry.getValue()));
        }
        return parsed;
    }

    private MatchTree.Branches<A> ranges(Field field, Input input, Any config) {
        if (!Extensions.typeOf(config).equals(IP_TREE)) {
            throw field.refuse("'" + Extensions.typeOf(config) + "' is not supported; use exact_match_map, prefix_match_map or "
                    + IP_TREE);
        }
        IPMatcher matcher;
        try {
            matcher = IPMatcher.parseFrom(config.getValue());
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + IP_TREE + ": " + e.getMessage());
        }
        List<MatchTree.RangeBranch<A>> branches = new ArrayList<>(matcher.getRangeMatchersCount());
        for (int i = 0; i < matcher.getRangeMatchersCount(); i++) {
            Field at = field.at("range_matchers", i);
            IPMatcher.IPRangeMatcher range = matcher.getRangeMatchers(i);
            branches.add(new MatchTree.RangeBranch<>(
                    CidrRangeParser.xdsList(at, "ranges", range.getRangesList()),
                    onMatch(at.at("on_match"), range.getOnMatch()),
                    range.getExclusive()));
        }
        return new MatchTree.Ranges<>(input, branches);
    }

    private Predicate predicate(Field field, Matcher.MatcherList.Predicate predicate) {
        switch (predicate.getMatchTypeCase()) {
            case SINGLE_PREDICATE:
                return single(field.at("single_predicate"), predicate.getSinglePredicate());
            case OR_MATCHER:
                return new MatchTree.Or(predicates(field.at("or_matcher"), predicate.getOrMatcher()));
            case AND_MATCHER:
                return new MatchTree.And(predicates(field.at("and_matcher"), predicate.getAndMatcher()));
            case NOT_MATCHER:
                return new MatchTree.Not(predicate(field.at("not_matcher"), predicate.getNotMatcher()));
            default:
                throw field.refuse("is empty; set single_predicate, or_matcher, and_matcher or not_matcher");
        }
    }

    private List<Predicate> predicates(Field field, Matcher.MatcherList.Predicate.PredicateList list) {
        field.refuseIf(list.getPredicateCount() < 2, "predicate", "must be at least two");
        List<Predicate> predicates = new ArrayList<>(list.getPredicateCount());
        for (int i = 0; i < list.getPredicateCount(); i++) {
            predicates.add(predicate(field.at("predicate", i), list.getPredicate(i)));
        }
        return predicates;
    }

    private Predicate single(Field field, Matcher.MatcherList.Predicate.SinglePredicate single) {
        Input input = input(field.at("input"), single.getInput());
        switch (single.getMatcherCase()) {
            case VALUE_MATCH:
                return new MatchTree.Text(input, string(field.at("value_match"), single.getValueMatch()));
            case CUSTOM_MATCH:
                return new MatchTree.InRange(
                        input, ip(field.at("custom_match").at("typed_config"), single.getCustomMatch().getTypedConfig()));
            default:
                throw field.refuse("has no matcher; set value_match");
        }
    }

    private static List<CidrRange> ip(Field field, Any config) {
        if (!Extensions.typeOf(config).equals(IP)) {
            throw field.refuse("'" + Extensions.typeOf(config) + "' is not supported; use value_match or " + IP);
        }
        try {
            return CidrRangeParser.list(field, "cidr_ranges", Ip.parseFrom(config.getValue()).getCidrRangesList());
        } catch (InvalidProtocolBufferException e) {
            throw field.refuse("is not a valid " + IP + ": " + e.getMessage());
        }
    }

    private Input input(Field field, TypedExtensionConfig config) {
        Field at = field.at("typed_config");
        String type = Extensions.typeOf(config.getTypedConfig());
        ConnectionInput ofConnection = CONNECTION_INPUTS.get(type);
        if (ofConnection != null) {
            // No header speaks for a connection.
            boolean peer = scope == Scope.CONNECTION && ofConnection == ConnectionInput.SOURCE_IP;
            return peer ? ConnectionInput.DIRECT_SOURCE_IP : ofConnection;
        }
        try {
            if (scope == Scope.REQUEST && type.equals(REQUEST_HEADER)) {
                String name = HttpRequestHeaderMatchInput.parseFrom(config.getTypedConfig().getValue()).getHeaderName();
                Field header = at.at("header_name");
                return new MatchTree.RequestHeader(header.headerText(header.notEmpty(name)).toLowerCase(Locale.ROOT));
            }
            if (scope == Scope.REQUEST && type.equals(QUERY_PARAMETER)) {
                String name = HttpRequestQueryParamMatchInput.parseFrom(config.getTypedConfig().getValue()).getQueryParam();
                return new MatchTree.QueryParameter(at.at("query_param").notEmpty(name));
            }
        } catch (InvalidProtocolBufferException e) {
            throw at.refuse("is not a valid " + type + ": " + e.getMessage());
        }
        throw at.refuse("the input '" + config.getName() + "' (" + type + ") is not supported here; use one of the "
                + (scope == Scope.REQUEST ? "connection, the request's headers or its query" : "connection"));
    }

    private static StringMatch string(Field field, StringMatcher matcher) {
        boolean ignoreCase = matcher.getIgnoreCase();
        switch (matcher.getMatchPatternCase()) {
            case EXACT:
                return new StringMatch.Exact(matcher.getExact(), ignoreCase);
            case PREFIX:
                return new StringMatch.Prefix(field.at("prefix").notEmpty(matcher.getPrefix()), ignoreCase);
            case SUFFIX:
                return new StringMatch.Suffix(field.at("suffix").notEmpty(matcher.getSuffix()), ignoreCase);
            case CONTAINS:
                return new StringMatch.Contains(field.at("contains").notEmpty(matcher.getContains()), ignoreCase);
            case SAFE_REGEX:
                String regex = matcher.getSafeRegex().getRegex();
                MatchParser.compile(field.at("safe_regex").at("regex"), regex);
                return new StringMatch.Regex(regex);
            case CUSTOM:
                throw field.at("custom").refuse("is not supported; use exact, prefix, suffix, contains or safe_regex");
            default:
                throw field.refuse("has no pattern; set exact, prefix, suffix, contains or safe_regex");
        }
    }
}
