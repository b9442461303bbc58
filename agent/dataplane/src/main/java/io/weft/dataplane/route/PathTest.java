package io.weft.dataplane.route;

import com.google.re2j.Pattern;
import io.weft.policy.model.RouteMatch.Exact;
import io.weft.policy.model.RouteMatch.PathMatch;
import io.weft.policy.model.RouteMatch.Prefix;
import io.weft.policy.model.RouteMatch.Regex;
import io.weft.policy.model.RouteMatch.SeparatedPrefix;

/** A {@link PathMatch} made ready; the query and the fragment are no part of what it sees, as in Envoy. Immutable. */
abstract sealed class PathTest {

    /**
     * @param target path and query
     * @param end where the path ends in it
     */
    abstract boolean matches(String target, int end);

    /** How much of a matching target a rewrite replaces. */
    abstract int matchedLength(int end);

    /** Where the path ends in a request's target. */
    static int end(String target) {
        int query = target.indexOf('?');
        int end = query < 0 ? target.length() : query;
        int fragment = target.indexOf('#');
        return fragment < 0 || fragment > end ? end : fragment;
    }

    static PathTest of(PathMatch match, boolean caseSensitive) {
        if (match instanceof Prefix prefix) {
            return new OfPrefix(prefix.prefix(), !caseSensitive);
        }
        if (match instanceof Exact exact) {
            return new OfWhole(exact.path(), !caseSensitive);
        }
        if (match instanceof SeparatedPrefix prefix) {
            return new OfSeparatedPrefix(prefix.prefix(), !caseSensitive);
        }
        return new OfRegex(((Regex) match).regex());
    }

    private static final class OfPrefix extends PathTest {
        private final String prefix;
        private final boolean ignoreCase;

        OfPrefix(String prefix, boolean ignoreCase) {
            this.prefix = prefix;
            this.ignoreCase = ignoreCase;
        }

        @Override
        boolean matches(String target, int end) {
            return end >= prefix.length() && target.regionMatches(ignoreCase, 0, prefix, 0, prefix.length());
        }

        @Override
        int matchedLength(int end) {
            return prefix.length();
        }
    }

    private static final class OfWhole extends PathTest {
        private final String path;
        private final boolean ignoreCase;

        OfWhole(String path, boolean ignoreCase) {
            this.path = path;
            this.ignoreCase = ignoreCase;
        }

        @Override
        boolean matches(String target, int end) {
            return end == path.length() && target.regionMatches(ignoreCase, 0, path, 0, end);
        }

        @Override
        int matchedLength(int end) {
            return end;
        }
    }

    private static final class OfSeparatedPrefix extends PathTest {
        private final String prefix;
        private final boolean ignoreCase;

        OfSeparatedPrefix(String prefix, boolean ignoreCase) {
            this.prefix = prefix;
            this.ignoreCase = ignoreCase;
        }

        @Override
        boolean matches(String target, int end) {
            int length = prefix.length();
            return end >= length
                    && target.regionMatches(ignoreCase, 0, prefix, 0, length)
                    && (end == length || target.charAt(length) == '/');
        }

        @Override
        int matchedLength(int end) {
            return prefix.length();
        }
    }

    /** Case sensitivity does not apply to it, as in Envoy. */
    private static final class OfRegex extends PathTest {
        private final Pattern pattern;

        OfRegex(String regex) {
            pattern = Pattern.compile(regex);
        }

        @Override
        boolean matches(String target, int end) {
            return pattern.matches(end == target.length() ? target : target.substring(0, end));
        }

        @Override
        int matchedLength(int end) {
            return end;
        }
    }
}
