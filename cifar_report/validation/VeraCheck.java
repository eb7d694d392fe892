import java.io.FileInputStream;
import java.util.Map;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.ValidationResult;
import org.verapdf.pdfa.validation.profiles.Profiles;
import org.verapdf.pdfa.validation.profiles.RuleId;
import org.verapdf.pdfa.validation.profiles.ValidationProfile;
import org.verapdf.pdfa.validation.validators.ValidatorFactory;

/**
 * Holds one PDF against one profile of veraPDF: VeraCheck FLAVOUR FILE. It writes PASS or FAIL with the number of
 * assertions, then a line for each broken rule, as the program verapdf does with --format text -v.
 */
public class VeraCheck {
    private static final int MOST_FAILURES_OF_A_RULE = 5;

    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        PDFAFlavour flavour = PDFAFlavour.fromString(arguments[0]);
        ValidationProfile profile = Profiles.getVeraProfileDirectory().getValidationProfileByFlavour(flavour);
        try (PDFAParser parser =
                Foundries.defaultInstance().createParser(new FileInputStream(arguments[1]), flavour)) {
            PDFAValidator validator = ValidatorFactory.createValidator(profile, false, MOST_FAILURES_OF_A_RULE);
            report(validator.validate(parser), profile);
        }
    }

    private static void report(ValidationResult result, ValidationProfile profile) {
        System.out.printf("%s %d assertions%n", result.isCompliant() ? "PASS" : "FAIL", result.getTotalAssertions());
        for (Map.Entry<RuleId, Integer> rule : result.getFailedChecks().entrySet()) {
            RuleId id = rule.getKey();
            String description = profile.getRuleByRuleId(id).getDescription().replaceAll("\\s+", " ");
            System.out.printf("  FAIL %s-%d, %d times: %s%n",
                id.getClause(), id.getTestNumber(), rule.getValue(), description);
        }
    }
}
