package io.weft.it.comparison;

import com.google.protobuf.BoolValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValue;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption;
import io.envoyproxy.envoy.config.core.v3.HeaderValueOption.HeaderAppendAction;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.QueryParameterMatcher;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.Int64Range;
import java.util.ArrayList;
import java.util.List;

/** Few words, so that what is drawn for a configuration and what is drawn for a request meet often. */
final class Vocabulary {
    private static final List<String> SEGMENTS = List.of(
            "a", "b", "ab", "abc", "A", "Ab", "1", "42", "x.y", "a%2Fb", "a%2fb", "%61", "%C3%A9", "a;v=1", "a+b", ".", "..", "a_b", "~a", "a:b");
    private static final List<String> HEADER_NAMES = List.of("x-a", "x-b", "x-c", "x-a-b", "x-d");
    private static final List<String> VALUES = List.of(
            "1", "2", "10", "-5", "on", "ON", "a", "ab", "abc", "aXb", "a,b", "a, b", "1,2", "a b", "a;b", "x=1; y=2", "007", "1.5", "9223372036854775807");
    private static final List<String> PARAMETERS = List.of("q", "Q", "r", "q1", "qq", "a%20b");
    private static final List<String> PARAMETER_VALUES = List.of("", "1", "2", "a", "ab", "A", "a%20b", "a+b", "%31", "a=b", "1,2");
    private static final List<String> REGEXES = List.of(
            "a", "a.*", ".*a", ".*", "^a", "a$", "^a$", "a|ab", "(a|b)+", "[0-9]+", "\\d+", "[a-c]*", "a?b?c?", ".+b", "(?i)ab", "a\\.b", "\\w+", "x=\\d", ".", "");
    private static final List<String> PATH_REGEXES = List.of(
            "/.*", "/a", "/a.*", "/a/.*", "/[ab]+", "/a(b|c)*", "/(a|ab)(/.*)?", "/\\d+", ".*b", "^/a$", "/a/[^/]+", "/a/[^/]+/b", "(?i)/A", "/.*/.*", "/a%2Fb", ".*\\?.*", "/(.*)");

    private Vocabulary() {}

    static String path(Draw draw) {
        if (draw.chance(8)) {
            return "/";
        }
        StringBuilder path = new StringBuilder();
        for (int i = draw.between(1, 3); i > 0; i--) {
            path.append('/').append(draw.chance(60) ? draw.oneOf("a", "b", "ab") : draw.oneOf(SEGMENTS));
        }
        if (draw.chance(12)) {
            path.append('/');
        }
        if (draw.chance(4)) {
            path.insert(0, '/');
        }
        return path.toString();
    }

    /** Path and query of a request; near to one of the paths of the configuration. */
    static String target(Draw draw, List<String> paths) {
        String path = paths.isEmpty() || draw.chance(25) ? path(draw) : draw.oneOf(paths);
        switch (draw.between(0, 9)) {
            case 0 -> path += "/";
            case 1 -> path += "x";
            case 2 -> path += "/" + draw.oneOf(SEGMENTS);
            case 3 -> path = path.toUpperCase(java.util.Locale.ROOT).replace("%C3%A9", "%c3%a9");
            case 4 -> path = path.length() > 2 ? path.substring(0, path.length() - 1) : path;
            default -> { }
        }
        if (path.indexOf('%') >= 0 && !path.matches("([^%]|%[0-9a-fA-F]{2})*") || path.isEmpty()) {
            path = "/a";
        }
        return draw.chance(45) ? path + "?" + query(draw) : path;
    }

    static String query(Draw draw) {
        List<String> parameters = draw.several(1, 3, () -> {
            String name = draw.oneOf(PARAMETERS);
            return draw.chance(20) ? name : name + "=" + draw.oneOf(PARAMETER_VALUES);
        });
        String query = String.join(draw.chance(5) ? "&&" : "&", parameters);
        return draw.chance(3) ? query + "&" : query;
    }

    static String headerName(Draw draw) {
        return draw.oneOf(HEADER_NAMES);
    }

    static String value(Draw draw) {
        return draw.oneOf(VALUES);
    }

    /** Headers of a request: sometimes twice, sometimes empty, in any case. */
    static List<String> headers(Draw draw) {
        List<String> headers = new ArrayList<>();
        for (int i = draw.between(0, 3); i > 0; i--) {
            String name = headerName(draw);
            String value = draw.chance(8) ? "" : value(draw);
            headers.add((draw.chance(15) ? name.toUpperCase(java.util.Locale.ROOT) : name) + ": " + value);
        }
        if (draw.chance(6)) {
            headers.add("content-type: " + draw.oneOf("application/grpc", "application/grpc+proto", "application/grpcx", "application/json"));
        }
        return headers;
    }

    static StringMatcher string(Draw draw, List<String> words) {
        StringMatcher.Builder matcher = StringMatcher.newBuilder();
        String word = draw.oneOf(words);
        boolean regex = draw.chance(20);
        if (!regex && draw.chance(25)) {
            matcher.setIgnoreCase(true);
        }
        if (regex) {
            return matcher.setSafeRegex(regex(draw.oneOf(REGEXES.subList(0, REGEXES.size() - 1)))).build();
        }
        String part = word.isEmpty() ? "a" : word.substring(0, draw.between(1, word.length()));
        return switch (draw.between(0, 3)) {
            case 0 -> matcher.setExact(word).build();
            case 1 -> matcher.setPrefix(part).build();
            case 2 -> matcher.setSuffix(word.isEmpty() ? "a" : word.substring(word.length() - draw.between(1, word.length()))).build();
            default -> matcher.setContains(part).build();
        };
    }

    static RegexMatcher regex(String regex) {
        return RegexMatcher.newBuilder().setRegex(regex).build();
    }

    @SuppressWarnings("deprecation") // control planes still send the old specifiers, and both sides obey them
    static HeaderMatcher headerMatcher(Draw draw) {
        HeaderMatcher.Builder matcher = HeaderMatcher.newBuilder();
        String name = draw.chance(85) ? headerName(draw) : draw.oneOf(":path", ":method", ":authority", "host", ":scheme", "X-A", "user-agent", "x-none");
        matcher.setName(name);
        List<String> words = name.equals(":path") ? List.of("/a", "/a/b", "/ab?q=1") : name.equals(":method") ? List.of("GET", "POST") : VALUES;
        String word = draw.oneOf(words);
        switch (draw.between(0, 11)) {
            case 0 -> matcher.setExactMatch(draw.chance(10) ? "" : word);
            case 1 -> matcher.setPrefixMatch(word.substring(0, 1));
            case 2 -> matcher.setSuffixMatch(word.substring(word.length() - 1));
            case 3 -> matcher.setContainsMatch(word.substring(0, 1));
            case 4 -> matcher.setSafeRegexMatch(regex(draw.oneOf(REGEXES.subList(0, REGEXES.size() - 1))));
            case 5 -> matcher.setRangeMatch(Int64Range.newBuilder().setStart(draw.oneOf(-10L, 0L, 1L, 2L)).setEnd(draw.oneOf(2L, 8L, 11L, 1000L)));
            case 6, 7 -> matcher.setPresentMatch(draw.chance(60));
            case 8 -> { }
            default -> matcher.setStringMatch(string(draw, words));
        }
        if (draw.chance(25)) {
            matcher.setInvertMatch(true);
        }
        if (draw.chance(20)) {
            matcher.setTreatMissingHeaderAsEmpty(true);
        }
        return matcher.build();
    }

    static QueryParameterMatcher queryMatcher(Draw draw) {
        QueryParameterMatcher.Builder matcher = QueryParameterMatcher.newBuilder().setName(draw.oneOf(PARAMETERS));
        switch (draw.between(0, 4)) {
            case 0 -> matcher.setPresentMatch(true);
            case 1 -> { }
            default -> matcher.setStringMatch(string(draw, PARAMETER_VALUES));
        }
        return matcher.build();
    }

    static RouteMatch match(Draw draw, List<String> paths) {
        RouteMatch.Builder match = RouteMatch.newBuilder();
        String path = path(draw);
        switch (draw.between(0, 9)) {
            case 0, 1, 2 -> match.setPrefix(draw.chance(10) ? "" : path);
            case 3, 4, 5 -> match.setPath(path);
            case 6, 7 -> {
                String separated = path.replaceAll("/+$", "");
                path = separated.length() < 2 ? "/a" : separated;
                match.setPathSeparatedPrefix(path);
            }
            default -> match.setSafeRegex(regex(draw.oneOf(PATH_REGEXES)));
        }
        paths.add(path);
        if (draw.chance(15)) {
            match.setCaseSensitive(BoolValue.of(draw.chance(20)));
        }
        if (draw.chance(40)) {
            match.addAllHeaders(draw.several(1, 2, () -> headerMatcher(draw)));
        }
        if (draw.chance(25)) {
            match.addAllQueryParameters(draw.several(1, 2, () -> queryMatcher(draw)));
        }
        if (draw.chance(8)) {
            match.setRuntimeFraction(RuntimeFractionalPercent.newBuilder()
                    .setDefaultValue(FractionalPercent.newBuilder().setNumerator(draw.oneOf(0, 100))));
        }
        if (draw.chance(4)) {
            match.setGrpc(RouteMatch.GrpcRouteMatchOptions.getDefaultInstance());
        }
        return match.build();
    }

    static List<HeaderValueOption> additions(Draw draw, int percent) {
        return draw.chance(percent) ? draw.several(1, 3, () -> addition(draw)) : List.of();
    }

    static HeaderValueOption addition(Draw draw) {
        HeaderValueOption.Builder option = HeaderValueOption.newBuilder()
                .setHeader(HeaderValue.newBuilder()
                        .setKey(draw.chance(70) ? headerName(draw) : draw.oneOf("x-new", "X-New", "x-up"))
                        .setValue(draw.chance(10) ? "" : draw.oneOf("n1", "n2", "50%%", "a b", "n,3")))
                .setAppendAction(draw.oneOf(
                        HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD,
                        HeaderAppendAction.ADD_IF_ABSENT,
                        HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
                        HeaderAppendAction.OVERWRITE_IF_EXISTS));
        if (draw.chance(15)) {
            option.setKeepEmptyValue(true);
        }
        return option.build();
    }

    static List<String> removals(Draw draw, int percent) {
        return draw.chance(percent) ? draw.several(1, 2, () -> draw.chance(90) ? headerName(draw) : "x-up") : List.of();
    }

    /** Steps for {@link Upstreams}: a good answer, some with headers that the route may change. */
    static String goodScript(Draw draw) {
        if (draw.chance(50)) {
            return "200";
        }
        StringBuilder script = new StringBuilder(draw.oneOf("200", "201", "404", "500", "302"));
        for (int i = draw.between(0, 3); i > 0; i--) {
            String name = draw.chance(60) ? headerName(draw) : "x-up";
            // The name in another case is how a header occurs twice.
            script.append('|').append(draw.chance(30) ? name.toUpperCase(java.util.Locale.ROOT) : name).append('=')
                    .append(draw.oneOf("u1", "u2", "u,3", ""));
        }
        return script.toString();
    }
}
