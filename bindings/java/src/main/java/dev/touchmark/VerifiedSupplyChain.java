package dev.touchmark;

import com.sun.jna.Pointer;

/** A supply chain that was as its layout says. */
public final class VerifiedSupplyChain extends Handle {
    VerifiedSupplyChain(Pointer object) {
        super(object, C::touchmark_verified_supply_chain_free);
    }

    /**
     * The whole report, as the command line prints it.
     *
     * @return JSON
     * @throws TouchmarkException it was closed
     */
    public String toJson() throws TouchmarkException {
        return Call.bufferText(c -> C.touchmark_verified_supply_chain_to_json(c.use(this), c.out, c.error));
    }
}
