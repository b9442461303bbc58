package io.weft.instrumentation;

/**
 * Where a library's packages are in a copy of it that somebody has put under another name, as {@code grpc-netty-shaded} does with Netty.
 *
 * @param root the first part of the names of its packages, as in {@code io.netty}; empty: copies of it are not looked for
 * @param prefix what comes before the root in the copy, with a dot at the end, as in {@code io.grpc.netty.shaded.}; empty: it is where its
 *     authors have put it
 */
public record Relocation(String root, String prefix) {
    public static final Relocation NONE = new Relocation("", "");

    public boolean isNone() {
        return prefix.isEmpty();
    }

    /** With all names of the library's classes in a text, with dots or with slashes, as they are in the copy. */
    public String apply(String text) {
        return isNone() ? text : replace(replace(text, root + '.', prefix), root.replace('.', '/') + '/', prefix.replace('.', '/'));
    }

    private static String replace(String text, String name, String prefix) {
        int found = text.indexOf(name);
        if (found < 0) {
            return text;
        }
        StringBuilder relocated = new StringBuilder();
        int done = 0;
        for (; found >= 0; found = text.indexOf(name, found + name.length())) {
            if (begins(text, found)) {
                relocated.append(text, done, found).append(prefix);
                done = found;
            }
        }
        return relocated.append(text, done, text.length()).toString();
    }

    /** Not in the middle of a longer name; an L stands before a class in a descriptor. */
    private static boolean begins(String text, int at) {
        if (at == 0) {
            return true;
        }
        char before = text.charAt(at - 1);
        return before == 'L' || before != '.' && before != '/' && !Character.isJavaIdentifierPart(before);
    }
}
