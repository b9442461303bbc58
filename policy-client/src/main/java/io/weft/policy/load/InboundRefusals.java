package io.weft.policy.load;

/**
 * Requests that came in and that the mesh has answered in the app's place since the process began, apart by what refused them.
 *
 * @param permission nobody has permitted them, or their token is none
 * @param rateLimit there were too many
 * @param fault a fault was to be injected
 */
public record InboundRefusals(long permission, long rateLimit, long fault) {

    public static final InboundRefusals NONE = new InboundRefusals(0, 0, 0);
}
