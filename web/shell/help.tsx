import { keyGroups } from "../lib/keys.tsx";
import { Dialog } from "../ui/dialog.tsx";

export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="What the keys do" onClose={onClose} width="46rem">
      <div className="help">
        {keyGroups().toReversed().filter(({ deeds }) => deeds.length > 0).map(({ name, deeds }) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>
              {deeds.map(({ keys, label }) => (
                <div key={keys}>
                  <dt>
                    {keys.split(" ").map((key) => (
                      <kbd key={key}>{key === "Escape" ? "Esc" : key.replace("Arrow", "")}</kbd>
                    ))}
                  </dt>
                  <dd>{label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
