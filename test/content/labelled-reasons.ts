/** Why an event of a rule of theirs is answered otherwise, where more is to be said than that no rule looks for it. */
export const reasons: Readonly<Record<string, string>> = {
};
