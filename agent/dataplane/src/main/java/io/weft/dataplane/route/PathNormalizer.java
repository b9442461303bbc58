package io.weft.dataplane.route;

import io.weft.dataplane.LocalReply;
import io.weft.policy.model.PathNormalization;
import io.weft.policy.model.PathNormalization.EscapedSlashes;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Makes a request's target what Envoy's HTTP connection manager would look at and forward, before any rule sees it, so that no
 * way of writing a path gets around a rule for it. In Envoy's order: a fragment is refused; escaped slashes are dealt with; the
 * path is normalized by RFC 3986, in the way of the URL library that Envoy uses; slashes are merged. The query stays as it is.
 * Immutable; a target that needs no change costs one look at it.
 */
public final class PathNormalizer {
    /** Of a target that is not valid. */
    public static final LocalReply REFUSED = LocalReply.of(400, "");
    /** What stands for itself in a path, letters and digits apart. */
    private static final String PASS = "!$&'()*+,-:;=@[]_~/";

    private final boolean normalize;
    private final boolean mergeSlashes;
    private final EscapedSlashes escapedSlashes;
    /** Only fragments are looked for. */
    private final boolean changesNothing;

    public PathNormalizer(PathNormalization normalization) {
        changesNothing = normalization.equals(PathNormalization.NONE);
        normalize = normalization.normalize();
        mergeSlashes = normalization.mergeSlashes();
        escapedSlashes = normalization.escapedSlashes();
    }

    /**
     * Either a target or the reply that the client gets in its place.
     *
     * @param target null where there is a reply
     * @param reply null mostly
     */
    public record Outcome(String target, LocalReply reply) {}

    /** Whether {@link #normalize} would give back the same target; allocates nothing. */
    public boolean keeps(String target) {
        if (changesNothing) {
            return target.indexOf('#') < 0;
        }
        for (int i = 0; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c == '?') {
                return target.indexOf('#', i) < 0;
            }
            boolean slash = i > 0 && target.charAt(i - 1) == '/';
            if (!isOrdinary(c) && (c != '.' || slash) || c == '/' && slash) {
                return false;
            }
        }
        return target.startsWith("/");
    }

    /** @param grpc whether it is a gRPC request, whose client could not follow a redirect */
    public Outcome normalize(String target, boolean grpc) {
        if (target.indexOf('#') >= 0) {
            return new Outcome(null, REFUSED);
        }
        int queryStart = target.indexOf('?');
        String path = queryStart < 0 ? target : target.substring(0, queryStart);
        String query = queryStart < 0 ? "" : target.substring(queryStart);

        String unescaped = escapedSlashes == EscapedSlashes.KEEP ? path : unescapeSlashes(path);
        boolean redirect = escapedSlashes == EscapedSlashes.UNESCAPE_AND_REDIRECT && !unescaped.equals(path);
        if (escapedSlashes == EscapedSlashes.REJECT && !unescaped.equals(path) || redirect && grpc) {
            return new Outcome(null, REFUSED);
        }
        String normal = normalize ? Canonical.of(unescaped) : unescaped;
        if (normal == null) {
            return new Outcome(null, REFUSED);
        }
        String merged = (mergeSlashes ? mergeSlashes(normal) : normal) + query;
        return redirect
                ? new Outcome(null, new LocalReply(307, List.of(Map.entry("location", merged)), new byte[0]))
                : new Outcome(merged, null);
    }

    private static String unescapeSlashes(String path) {
        if (path.indexOf('%') < 0) {
            return path;
        }
        return path.replace("%2F", "/").replace("%2f", "/").replace("%5C", "\\").replace("%5c", "\\");
    }

    /** A path of nothing but two slashes and more keeps two, as in Envoy. */
    private static String mergeSlashes(String path) {
        if (!path.contains("//")) {
            return path;
        }
        StringBuilder merged = new StringBuilder(path.length());
        if (path.startsWith("/")) {
            merged.append('/');
        }
        boolean first = true;
        for (String segment : path.split("/")) {
            if (!segment.isEmpty()) {
                merged.append(first ? "" : "/").append(segment);
                first = false;
            }
        }
        return path.endsWith("/") ? merged.append('/').toString() : merged.toString();
    }

    private static boolean isOrdinary(char c) {
        return isUnreserved(c) || c < 128 && PASS.indexOf(c) >= 0;
    }

    /** What is unescaped. */
    private static boolean isUnreserved(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '~';
    }

    /** One path on its way to its canonical form; each char is a byte of the request. */
    private static final class Canonical {
        private final String path;
        private final StringBuilder out;
        private int at;
        /** Where in the output a percent sign stands that began no escape sequence. */
        private int loosePercent = Integer.MIN_VALUE;

        private Canonical(String path) {
            this.path = path;
            out = new StringBuilder(path.length() + 16);
        }

        /** @return null when there is a NUL in it */
        static String of(String path) {
            return new Canonical(path).write();
        }

        private String write() {
            if (path.isEmpty() || !isSlash(0)) {
                out.append('/');
            }
            while (at < path.length()) {
                char c = path.charAt(at);
                int dot = dotLength(at);
                if (dot > 0) {
                    dot(dot);
                } else if (c == '\\') {
                    out.append('/');
                    at++;
                } else if (c == '%') {
                    if (!escape()) {
                        return null;
                    }
                } else if (c == 0) {
                    return null;
                } else if (isOrdinary(c)) {
                    out.append(c);
                    at++;
                } else {
                    escaped(c);
                    at++;
                }
            }
            return out.toString();
        }

        private void dot(int length) {
            boolean segmentStarts = out.length() > 0 && out.charAt(out.length() - 1) == '/';
            int after = at + length;
            int second = segmentStarts ? dotLength(after) : 0;
            if (segmentStarts && endsSegment(after)) {
                at = nextSegment(after);
            } else if (second > 0 && endsSegment(after + second)) {
                int parent = out.lastIndexOf("/", out.length() - 2);
                out.setLength(Math.max(parent, 0) + 1);
                at = nextSegment(after + second);
            } else {
                out.append('.');
                at = after;
            }
        }

        /**
         * Servers of the JVM take {@code /..;x/} for {@code /../}, and so does Envoy by now; here also where the dots are
         * escaped, since they are unescaped for the server.
         */
        private boolean endsSegment(int index) {
            return index == path.length() || isSlash(index) || path.charAt(index) == ';';
        }

        private int nextSegment(int from) {
            int index = from;
            while (index < path.length() && !isSlash(index)) {
                index++;
            }
            return Math.min(index + 1, path.length());
        }

        /** @return false: the path is not valid */
        private boolean escape() {
            int value = escaped(path, at);
            if (value < 0) {
                loosePercent = out.length();
                out.append('%');
                at++;
                return true;
            }
            if (isUnreserved(value)) {
                out.append((char) value);
                at += 3;
                if (loosePercent < out.length() && loosePercent >= out.length() - 3) {
                    keepLoosePercentLoose();
                }
                return true;
            }
            out.append(path, at, at + 3);
            at += 3;
            return value != 0;
        }

        /** What was unescaped just now could make an escape sequence of a percent sign before it, to be unescaped by the next. */
        private void keepLoosePercentLoose() {
            boolean one = loosePercent == out.length() - 2;
            if (one && (at == path.length() || path.charAt(at) >= 128)) {
                return;
            }
            String followed = one ? out.substring(loosePercent) + path.charAt(at) : out.substring(loosePercent);
            if (escaped(followed, 0) >= 0) {
                out.insert(loosePercent + 1, "25");
            }
        }

        private void escaped(char c) {
            for (byte b : Character.toString(c).getBytes(c < 256 ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8)) {
                out.append('%')
                        .append(Character.toUpperCase(Character.forDigit(b >> 4 & 15, 16)))
                        .append(Character.toUpperCase(Character.forDigit(b & 15, 16)));
            }
        }

        /** @return the byte, -1 where there is no escape sequence */
        private static int escaped(String text, int at) {
            if (at + 2 >= text.length()) {
                return -1;
            }
            int high = hex(text.charAt(at + 1));
            int low = hex(text.charAt(at + 2));
            return high < 0 || low < 0 ? -1 : high << 4 | low;
        }

        private static int hex(char c) {
            return c < 128 ? Character.digit(c, 16) : -1;
        }

        private boolean isSlash(int index) {
            return path.charAt(index) == '/' || path.charAt(index) == '\\';
        }

        /** 0 when there is no dot at this place. */
        private int dotLength(int index) {
            if (index < path.length() && path.charAt(index) == '.') {
                return 1;
            }
            return path.regionMatches(true, index, "%2e", 0, 3) ? 3 : 0;
        }
    }
}
