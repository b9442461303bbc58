package io.weft.agent.settings;

import java.util.regex.Pattern;

/** What kuma-cp takes of what a data plane says of itself; of one thing that it does not take, it takes nothing. */
public final class KumaForm {
    private static final Pattern TAG_NAME = Pattern.compile("[a-zA-Z0-9.\\-_:/]+");
    private static final Pattern TAG_VALUE = Pattern.compile("[a-zA-Z0-9.\\-_:]+");
    private static final String WORD = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
    /** As in Kubernetes, to which a zone's data planes may be told. */
    private static final Pattern LABEL_NAME =
            Pattern.compile("((?=.{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?" + WORD);
    private static final Pattern LABEL_VALUE = Pattern.compile("(" + WORD + ")?");

    private KumaForm() {}

    static boolean isTag(String name, String value) {
        return TAG_NAME.matcher(name).matches() && TAG_VALUE.matcher(value).matches();
    }

    public static boolean isLabel(String name, String value) {
        return LABEL_NAME.matcher(name).matches() && LABEL_VALUE.matcher(value).matches();
    }
}
