import { Type } from "typebox";
import { overviewIds } from "../../insight/overview.ts";

export const Bound = Type.Union([Type.String({ maxLength: 100 }), Type.Number()]);
export const Layout = Type.Object({ order: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 200 })), hidden: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 200 })) });
export const StoredLayout = Type.Object({ order: Type.Array(Type.String()), hidden: Type.Array(Type.String()) });

/** What `data` holds of each module: host/insight/overview-model.ts. */
const Module = Type.Object({
  id: Type.Enum([...overviewIds]), title: Type.String(), visible: Type.Boolean(), order: Type.Integer(), data: Type.Union([Type.Object({}), Type.Null()]), href: Type.String(), note: Type.Optional(Type.String()),
});
export const Overview = Type.Object({ from: Type.Integer(), to: Type.Integer(), modules: Type.Array(Module) });
