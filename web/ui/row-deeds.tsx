/** What can be done to what a row tells of, named in full for those who hear it. */
export function RowDeeds({ name, isOn, onToggle, onEdit, onDelete }: { readonly name: string; readonly isOn: boolean; readonly onToggle: () => void; readonly onEdit: () => void; readonly onDelete?: (() => void) | undefined }) {
  const toggle = isOn ? "Disable" : "Enable";
  return (
    <>
      <button type="button" aria-label={`${toggle} ${name}`} onClick={onToggle}>{toggle}</button>
      <button type="button" aria-label={`Edit ${name}`} onClick={onEdit}>Edit</button>
      {onDelete && <button type="button" className="danger" aria-label={`Delete ${name}`} onClick={onDelete}>Delete</button>}
    </>
  );
}
