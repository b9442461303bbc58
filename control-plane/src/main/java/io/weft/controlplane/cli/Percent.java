package io.weft.controlplane.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code 1%}, {@code 0.5%}.
 *
 * @param share from 0 to 1
 */
record Percent(double share) {

    private static final Pattern FORM = Pattern.compile("(\\d{1,3}(?:\\.\\d{1,6})?)%");

    static Percent parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches() || Double.parseDouble(matcher.group(1)) > 100) {
            throw new TypeConversionException("'" + text + "' is not a share; write it as 1% or 0.5%");
        }
        return new Percent(Double.parseDouble(matcher.group(1)) / 100);
    }
}
