package io.weft.policy.parse;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.weft.policy.model.HeaderMatch;
import io.weft.policy.model.QueryMatch;
import io.weft.policy.model.RouteMatch;
import io.weft.policy.model.RouteMatch.Fraction;
import io.weft.policy.model.RouteMatch.PathMatch;
import io.weft.policy.model.StringMatch;
import io.weft.policy.proto.envoy.config.core.v3.RuntimeFractionalPercent;
import io.weft.policy.proto.envoy.config.core.v3.TypedExtensionConfig;
import io.weft.policy.proto.envoy.config.route.v3.HeaderMatcher;
import io.weft.policy.proto.envoy.config.route.v3.QueryParameterMatcher;
import io.weft.policy.proto.envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig;
import io.weft.policy.proto.envoy.type.matcher.v3.RegexMatcher;
import io.weft.policy.proto.envoy.type.matcher.v3.StringMatcher;
import io.weft.policy.proto.envoy.type.v3.FractionalPercent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@code envoy.config.route.v3.RouteMatch} and the matchers that it is made of. */
final class MatchParser {
    private static final int MAX_QUERY_NAME_BYTES = 1024;
    private static final int MAX_REGEX_SIZE = 50_000;

    private MatchParser() {}

    static RouteMatch route(Field field, io.weft.policy.proto.envoy.config.route.v3.RouteMatch match) {
        field.refuseIf(match.hasTlsContext(), "tls_context", "is not supported: the peer's certificate is not known here");
        field.refuseIf(match.getDynamicMetadataCount() > 0, "dynamic_metadata", "is not supported; match headers instead");
        field.refuseIf(match.getFilterStateCount() > 0, "filter_state", "is not supported; match headers instead");

        List<QueryMatch> query = new ArrayList<>(match.getQueryParametersCount());
        for (int i = 0; i < match.getQueryParametersCount(); i++) {
            query.add(query(field.at("query_parameters", i), match.getQueryParameters(i)));
        }
        return new RouteMatch(
                path(field, match),
                !match.hasCaseSensitive() || match.getCaseSensitive().getValue(),
                headers(field, "headers", match.getHeadersList()),
                query,
                match.hasRuntimeFraction()
                        ? Optional.of(fraction(field.at("runtime_fraction"), match.getRuntimeFraction()))
                        : Optional.empty(),
                match.hasGrpc());
    }

    private static PathMatch path(Field field, io.weft.policy.proto.envoy.config.route.v3.RouteMatch match) {
        switch (match.getPathSpecifierCase()) {
            case PREFIX:
                return new RouteMatch.Prefix(match.getPrefix());
            case PATH:
                return new RouteMatch.Exact(match.getPath());
            case SAFE_REGEX:
                return new RouteMatch.Regex(regex(field.at("safe_regex"), match.getSafeRegex()));
            case PATH_SEPARATED_PREFIX:
                String prefix = match.getPathSeparatedPrefix();
                boolean bad = prefix.length() < 2
                        || prefix.endsWith("/")
                        || prefix.indexOf('?') >= 0
                        || prefix.indexOf('#') >= 0;
                field.refuseIf(bad, "path_separated_prefix",
                        "must be longer than a slash, not end in one and hold no ? or #; for all paths use prefix: /");
                return new RouteMatch.SeparatedPrefix(prefix);
            case CONNECT_MATCHER:
                throw field.at("connect_matcher").refuse("CONNECT is not supported; remove the route for this node");
            case PATH_MATCH_POLICY:
                return new RouteMatch.Regex(template(field.at("path_match_policy"), match.getPathMatchPolicy()).regex());
            default:
                throw field.refuse("has no path; set prefix, path, path_separated_prefix or safe_regex");
        }
    }

    static UriTemplate template(Field field, TypedExtensionConfig policy) {
        UriTemplateMatchConfig config = extension(
                field, policy, "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
                UriTemplateMatchConfig.parser());
        return new UriTemplate(field.at("typed_config").at("path_template"), config.getPathTemplate());
    }

    /** The only kind of extension that is known in its place. */
    static <M> M extension(Field field, TypedExtensionConfig config, String type, Parser<M> parser) {
        String actual = Extensions.typeOf(config.getTypedConfig());
        if (!actual.equals(type)) {
            throw field.at("typed_config").refuse("'" + actual + "' is not supported; use " + type);
        }
        try {
            return parser.parseFrom(config.getTypedConfig().getValue());
        } catch (InvalidProtocolBufferException e) {
            throw field.at("typed_config").refuse("is not a valid " + type + ": " + e.getMessage());
        }
    }

    static List<HeaderMatch> headers(Field parent, String name, List<HeaderMatcher> matchers) {
        List<HeaderMatch> matches = new ArrayList<>(matchers.size());
        for (int i = 0; i < matchers.size(); i++) {
            matches.add(header(parent.at(name, i), matchers.get(i)));
        }
        return matches;
    }

    @SuppressWarnings("deprecation") // older control planes send the old specifiers, and Envoy obeys them
    static HeaderMatch header(Field field, HeaderMatcher matcher) {
        Field name = field.at("name");
        name.headerText(name.notEmpty(matcher.getName()));
        HeaderMatch.Test test;
        switch (matcher.getHeaderMatchSpecifierCase()) {
            case EXACT_MATCH:
                // Envoy takes an empty value to mean any; unlike presence it does not match what is missing when inverted.
                test = matcher.getExactMatch().isEmpty()
                        ? new HeaderMatch.Value(new StringMatch.Contains("", false))
                        : new HeaderMatch.Value(new StringMatch.Exact(matcher.getExactMatch(), false));
                break;
            case SAFE_REGEX_MATCH:
                test = new HeaderMatch.Value(
                        new StringMatch.Regex(regex(field.at("safe_regex_match"), matcher.getSafeRegexMatch())));
                break;
            case RANGE_MATCH:
                test = new HeaderMatch.Range(matcher.getRangeMatch().getStart(), matcher.getRangeMatch().getEnd());
                break;
            case PRESENT_MATCH:
                test = new HeaderMatch.Present(matcher.getPresentMatch());
                break;
            case PREFIX_MATCH:
                test = new HeaderMatch.Value(
                        new StringMatch.Prefix(field.at("prefix_match").notEmpty(matcher.getPrefixMatch()), false));
                break;
            case SUFFIX_MATCH:
                test = new HeaderMatch.Value(
                        new StringMatch.Suffix(field.at("suffix_match").notEmpty(matcher.getSuffixMatch()), false));
                break;
            case CONTAINS_MATCH:
                test = new HeaderMatch.Value(
                        new StringMatch.Contains(field.at("contains_match").notEmpty(matcher.getContainsMatch()), false));
                break;
            case STRING_MATCH:
                test = new HeaderMatch.Value(string(field.at("string_match"), matcher.getStringMatch()));
                break;
            default:
                test = new HeaderMatch.Present(true);
        }
        return new HeaderMatch(
                matcher.getName().toLowerCase(Locale.ROOT),
                test,
                matcher.getInvertMatch(),
                matcher.getTreatMissingHeaderAsEmpty());
    }

    static QueryMatch query(Field field, QueryParameterMatcher matcher) {
        Field name = field.at("name");
        name.notEmpty(matcher.getName());
        if (matcher.getNameBytes().size() > MAX_QUERY_NAME_BYTES) {
            throw name.refuse("is longer than " + MAX_QUERY_NAME_BYTES + " bytes");
        }
        switch (matcher.getQueryParameterMatchSpecifierCase()) {
            case STRING_MATCH:
                return new QueryMatch(
                        matcher.getName(), Optional.of(string(field.at("string_match"), matcher.getStringMatch())));
            case PRESENT_MATCH:
                field.refuseIf(!matcher.getPresentMatch(), "present_match",
                        "false is not supported; put a route that matches the parameter's presence before this one");
                return new QueryMatch(matcher.getName(), Optional.empty());
            default:
                return new QueryMatch(matcher.getName(), Optional.empty());
        }
    }

    static StringMatch string(Field field, StringMatcher matcher) {
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
                return new StringMatch.Regex(regex(field.at("safe_regex"), matcher.getSafeRegex()));
            case CUSTOM:
                throw field.at("custom").refuse("is not supported; use exact, prefix, suffix, contains or safe_regex");
            default:
                throw field.refuse("has no pattern; set exact, prefix, suffix, contains or safe_regex");
        }
    }

    static String regex(Field field, RegexMatcher matcher) {
        compile(field, matcher);
        return matcher.getRegex();
    }

    static Pattern compile(Field field, RegexMatcher matcher) {
        return compile(field.at("regex"), matcher.getRegex());
    }

    static Pattern compile(Field field, String regex) {
        field.notEmpty(regex);
        if (RegexSize.of(regex) > MAX_REGEX_SIZE) {
            throw field.refuse("repeats too much: it would compile to more than " + MAX_REGEX_SIZE + " steps; use smaller counts");
        }
        try {
            return Pattern.compile(regex);
        } catch (PatternSyntaxException e) {
            throw field.refuse("is not valid in RE2 syntax: " + e.getMessage());
        }
    }

    static Fraction fraction(Field field, RuntimeFractionalPercent fraction) {
        // There is no runtime layer that could override it, so the key means nothing.
        field.refuseIf(!fraction.hasDefaultValue(), "default_value", "is missing");
        return fraction(field.at("default_value"), fraction.getDefaultValue());
    }

    static Fraction fraction(Field field, FractionalPercent value) {
        int denominator;
        switch (value.getDenominator()) {
            case HUNDRED:
                denominator = 100;
                break;
            case TEN_THOUSAND:
                denominator = 10_000;
                break;
            case MILLION:
                denominator = 1_000_000;
                break;
            default:
                throw field.at("denominator").refuse("is none of HUNDRED, TEN_THOUSAND and MILLION");
        }
        return new Fraction(Math.min(Field.limit(value.getNumerator()), denominator), denominator);
    }
}
