package io.weft.dataplane.route;

import com.google.re2j.Pattern;
import io.weft.policy.model.RouteMatch.Exact;
import io.weft.policy.model.RouteMatch.PathMatch;
import io.weft.policy.model.RouteMatch.Prefix;
import io.weft.policy.model.RouteMatch.Regex;
import io.weft.policy.model.RouteMatch.SeparatedPrefix;

/**
 * A {@link PathMatch} made ready. As in Envoy it sees a request's target up to the query or fragment, the path. Where the
 * path ends is looked for only where it matters. Immutable.
 */
public abstract sealed class PathTest {
    /** Nearly every virtual host ends with it; one object for all of them stays in the cache. */
    private static final PathTest EVERY_PATH = new OfAny();

    /** @param target path and query */
    abstract boolean matches(String target);

    /** How much of a matching target a rewrite replaces. */
    abstract int matchedLength(String target);

    /** Where the path ends in a request's target. */
    public static int end(String target) {
        for (int i = 0; i < target.length(); i++) {
            if (isEnd(target, i)) {
                return i;
            }
        }
        return target.length();
    }

    private static boolean isEnd(String target, int index) {
        return index == target.length() || target.charAt(index) == '?' || target.charAt(index) == '#';
    }

    static PathTest of(PathMatch match, boolean caseSensitive) {
        if (match instanceof Prefix prefix && prefix.prefix().equals("/")) {
            return EVERY_PATH;
        }
        if (match instanceof Prefix prefix) {
            return new OfPrefix(new Start(prefix.prefix(), caseSensitive));
        }
        if (match instanceof Exact exact) {
            return new OfWhole(new Start(exact.path(), caseSensitive));
        }
        if (match instanceof SeparatedPrefix prefix) {
            return new OfSeparatedPrefix(new Start(prefix.prefix(), caseSensitive));
        }
        return new OfRegex(((Regex) match).regex());
    }

    /** A text with which paths begin. One that has a query or fragment in it is never a part of a path. */
    private static final class Start {
        private final String text;
        private final boolean ignoreCase;
        private final boolean possible;

        Start(String text, boolean caseSensitive) {
            this.text = text;
            ignoreCase = !caseSensitive;
            possible = end(text) == text.length();
        }

        boolean isOf(String target) {
            return possible && target.regionMatches(ignoreCase, 0, text, 0, text.length());
        }

        int length() {
            return text.length();
        }
    }

    /** {@code /}, but not what is no path, such as the {@code *} of OPTIONS. */
    private static final class OfAny extends PathTest {
        @Override
        boolean matches(String target) {
            return !target.isEmpty() && target.charAt(0) == '/';
        }

        @Override
        int matchedLength(String target) {
            return 1;
        }
    }

    private static final class OfPrefix extends PathTest {
        private final Start prefix;

        OfPrefix(Start prefix) {
            this.prefix = prefix;
        }

        @Override
        boolean matches(String target) {
            return prefix.isOf(target);
        }

        @Override
        int matchedLength(String target) {
            return prefix.length();
        }
    }

    private static final class OfWhole extends PathTest {
        private final Start path;

        OfWhole(Start path) {
            this.path = path;
        }

        @Override
        boolean matches(String target) {
            return path.isOf(target) && isEnd(target, path.length());
        }

        @Override
        int matchedLength(String target) {
            return path.length();
        }
    }

    private static final class OfSeparatedPrefix extends PathTest {
        private final Start prefix;

        OfSeparatedPrefix(Start prefix) {
            this.prefix = prefix;
        }

        @Override
        boolean matches(String target) {
            int length = prefix.length();
            return prefix.isOf(target) && (isEnd(target, length) || target.charAt(length) == '/');
        }

        @Override
        int matchedLength(String target) {
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
        boolean matches(String target) {
            int end = end(target);
            return pattern.matches(end == target.length() ? target : target.substring(0, end));
        }

        @Override
        int matchedLength(String target) {
            return end(target);
        }
    }
}
