export { XrayViewer } from "./viewer.js";

export const styleUrl = new URL("./viewer.css", import.meta.url).href;
