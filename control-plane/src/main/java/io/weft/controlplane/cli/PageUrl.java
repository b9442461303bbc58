package io.weft.controlplane.cli;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URISyntaxException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Where a control plane's page is. */
final class PageUrl implements ITypeConverter<URI> {

    @Override
    public URI convert(String text) {
        try {
            URI page = new URI(text);
            if (page.getHost() != null && ("http".equals(page.getScheme()) || "https".equals(page.getScheme()))) {
                return page;
            }
        } catch (URISyntaxException wrong) {
            // Told below, with every other wrong form.
        }
        throw new TypeConversionException("'" + text + "' is no URL of a page; write it as http://127.0.0.1:5679/");
    }

    /** Why it does not answer: the JDK's client has no words for that nobody is there. */
    static String problem(IOException problem) {
        if (problem instanceof ConnectException) {
            return "nobody listens there; is the control plane running, and without --page off?";
        }
        return problem.getMessage() == null ? problem.toString() : problem.getMessage();
    }
}
