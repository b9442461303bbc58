package io.weft.controlplane.demo;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/**
 * One request as the {@code batch} app logged it.
 *
 * @param startedMs wall clock
 * @param endedMs wall clock
 * @param via {@code direct} (batch calls orders) or {@code storefront} (which calls orders)
 * @param canary it carried {@code x-canary: yes}
 * @param status of the HTTP response; 0 when there was none
 * @param version of orders that answered; null when none did
 * @param instance of orders that answered, its process id and a random part with a hyphen between; null when none did
 * @param error null when all went well
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record Answer(
        long startedMs,
        long endedMs,
        String via,
        boolean canary,
        int status,
        String version,
        String instance,
        String error) {

    /** Process id of the instance, which must have answered. */
    @JsonIgnore
    long pid() {
        return Long.parseLong(instance, 0, instance.indexOf('-'), 10);
    }

    /** The service was reached, and does not let this caller in. */
    @JsonIgnore
    boolean denied() {
        return status == 403;
    }

    boolean failed() {
        return status != 200 || version == null;
    }

    /** Of one that failed: who asked, the status (0: none) and the error. */
    @JsonIgnore
    String failure() {
        return via + ' ' + status + ' ' + error;
    }
}
