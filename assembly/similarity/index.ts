export { historyCount, historyItems, historyMerge, historyPass } from "./find";
export { historyAdd, historyBytes, historyExpire, historyStart } from "./history";
export { common, jaccard, tokenSet } from "./set";
export { agreeing, bandKeys, signature, signatureBytes, signatureMerge, signatureStart } from "./signature";
export { hashSpans, wordHashes, words } from "./words";
