/** Whether a compiled module can run here. */
import { joined, selected, setHas, setOf } from '../base/intrinsics.js';
import type { ArtifactKey } from '../compile/settings.js';
import { ARTIFACT_FORMAT, packageVersion } from '../compile/settings.js';
import { badArtifact } from '../errors/catalog.js';
import { CONTRACT } from '../generated/abi.js';
import type { Native } from '../link/native.js';

/** Throws a CompileError with code HEDDLE_BAD_ARTIFACT where code was made for another version or machine: what such code does here nobody knows. */
export function requireRunnable(key: ArtifactKey, native: Native): void {
  if (key.format !== ARTIFACT_FORMAT || key.version !== packageVersion() || key.contract !== CONTRACT) {
    throw badArtifact(`heddle ${key.version} made it, this is ${packageVersion()}: compile the module again`);
  }
  const { target, cpu } = key.settings;
  if (target !== native.arch) throw badArtifact(`it is code for ${target}, this machine is ${native.arch}`);
  const here = setOf(native.cpuFeatures());
  const missing = selected(cpu, (feature) => !setHas(here, feature));
  if (missing.length > 0) throw badArtifact(`this CPU lacks ${joined(missing, ', ')}`);
}
