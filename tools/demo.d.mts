export declare function demoLogs(endMs: number): Array<Record<string, unknown>>;
export declare function playDemo(logs: ReadonlyArray<Record<string, unknown>>, url: string, key: string): Promise<void>;
