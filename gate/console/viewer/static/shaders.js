// The shaders. What a pixel becomes, in this order (docs/decisions/0035-xray-viewer.md):
//   value v in 0..1 (1 is air) -> edges -> window -> penetration -> invert -> colour.
// tests/browser/test_viewer.py computes the same with numpy.

export const EDGE_GAIN = 1.6; // a step of edge enhancement
export const HIGH_PENETRATION = 300; // of the logarithm that spreads what is dark
export const LOW_PENETRATION = 3; // the power that spreads what is bright

const VERTEX = `#version 300 es
uniform vec4 u_rect; // left, top, right, bottom of the tile in clip space
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(mix(u_rect.xy, u_rect.zw, corner), 0.0, 1.0);
}`;

// Texels are fetched and weighed here: integer textures are not filtered, and what a graphics chip filters, it filters in 8 bits.
const SAMPLING = `
uniform highp usampler2D u_high;
uniform highp usampler2D u_low;
uniform float u_scale_to_one;

vec3 texel_high(ivec2 at) {
#ifdef COLOUR
  return vec3(texelFetch(u_high, at, 0).rgb) / 255.0;
#else
  return vec3(float(texelFetch(u_high, at, 0).r) * u_scale_to_one, 0.0, 0.0);
#endif
}
float texel_low(ivec2 at) { return float(texelFetch(u_low, at, 0).r) * u_scale_to_one; }

#ifdef EXACT // a device pixel is a pixel of the picture
#define BILINEAR(fetch, base, f) fetch(base)
#else
#define BILINEAR(fetch, base, f) mix(mix(fetch(base), fetch(base + ivec2(1, 0)), f.x), \\
  mix(fetch(base + ivec2(0, 1)), fetch(base + ivec2(1, 1)), f.x), f.y)
#endif

#ifdef EDGE
uniform float u_edge;
// Unsharp mask with the mean of 3 x 3: v + gain * (v - mean), at a place between texels.
vec3 sharpened(ivec2 base, vec2 f) {
  vec3 sum = vec3(0.0);
  vec3 here = vec3(0.0);
  for (int j = -1; j <= 2; j++) {
    float wy = j == -1 ? 1.0 - f.y : j == 2 ? f.y : 1.0;
    float by = j == 0 ? 1.0 - f.y : j == 1 ? f.y : 0.0;
    for (int i = -1; i <= 2; i++) {
      float wx = i == -1 ? 1.0 - f.x : i == 2 ? f.x : 1.0;
      float bx = i == 0 ? 1.0 - f.x : i == 1 ? f.x : 0.0;
      vec3 v = texel_high(base + ivec2(i, j));
      sum += v * (wx * wy);
      here += v * (bx * by);
    }
  }
  return here + u_edge * (here - sum / 9.0);
}
#endif
`;

const TONE = `
uniform vec2 u_window; // lowest and highest shown value
uniform bool u_is_inverted;
uniform int u_penetration; // 0 all, 1 high, 2 low

float toned(float v) {
  float x = clamp((v - u_window.x) / (u_window.y - u_window.x), 0.0, 1.0);
  if (u_penetration == 1) x = log(1.0 + ${HIGH_PENETRATION}.0 * x) / log(1.0 + ${HIGH_PENETRATION}.0);
  if (u_penetration == 2) x = x * x * x;
  return u_is_inverted ? 1.0 - x : x;
}
`;

// The ratio of the attenuations at two energies grows with the effective atomic number and hardly with thickness (Rebuffel and Dinten,
// "Dual-energy X-ray imaging: benefits and limits", Insight 49 (2007) 589). Colours are those of the field: organic orange, inorganic and
// mixed green, metal blue. Where nothing is, or nothing comes through, the ratio says nothing, and the pixel stays grey.
const MATERIAL = `
uniform vec2 u_ratio; // below the first organic, above the second metal

vec3 coloured(float grey, float high, float low) {
  float a_high = -log(max(high, 1e-4));
  float a_low = -log(max(low, 1e-4));
  float ratio = a_low / max(a_high, 1e-3);
  const vec3 ORGANIC = vec3(0.96, 0.52, 0.07);
  const vec3 MIXED = vec3(0.24, 0.72, 0.20);
  const vec3 METAL = vec3(0.13, 0.38, 0.94);
  float soft = 0.12;
  vec3 hue = mix(ORGANIC, MIXED, smoothstep(u_ratio.x - soft, u_ratio.x + soft, ratio));
  hue = mix(hue, METAL, smoothstep(u_ratio.y - soft, u_ratio.y + soft, ratio));
  float known = smoothstep(0.02, 0.10, a_low) * smoothstep(0.002, 0.012, low);
  // As dark or bright as the grey would be: black to the hue, the hue to white.
  vec3 shade = grey < 0.5 ? hue * (2.0 * grey) : mix(hue, vec3(1.0), 2.0 * grey - 1.0);
  return mix(vec3(grey), shade, known);
}
`;

const MAIN = `
uniform vec3 u_origin; // place of the picture's corner in device pixels from the left and the top; height of the canvas
uniform vec2 u_texels; // texels of this level in a device pixel
uniform vec2 u_tile; // texels of this level from the picture's corner to that of the texture
#ifdef LENS
uniform vec3 u_lens; // middle from the left and the top, and radius
#endif
out vec4 o_colour;

void main() {
  vec2 at = vec2(gl_FragCoord.x, u_origin.z - gl_FragCoord.y);
#ifdef LENS
  float rim = distance(at, u_lens.xy) - u_lens.z;
  if (rim > 0.0) discard;
#endif
  vec2 texel = (at - u_origin.xy) * u_texels - u_tile - 0.5;
  ivec2 base = ivec2(floor(texel));
  vec2 f = texel - floor(texel);
#ifdef EDGE
  vec3 high = clamp(sharpened(base, f), 0.0, 1.0);
#else
  vec3 high = BILINEAR(texel_high, base, f);
#endif
#ifdef COLOUR
  vec3 shown = vec3(toned(high.r), toned(high.g), toned(high.b));
#elif defined(MATERIAL)
  vec3 shown = coloured(toned(high.x), high.x, BILINEAR(texel_low, base, f));
#else
  vec3 shown = vec3(toned(high.x));
#endif
#ifdef LENS
  if (rim > -2.0) shown = vec3(0.92, 0.96, 1.0);
#endif
  o_colour = vec4(shown, 1.0);
}
`;

function compiled(gl, kind, source) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

// A program with these of COLOUR, MATERIAL, EDGE, EXACT and LENS, and where its uniforms are.
export function makeProgram(gl, features) {
  const defines = features.map((name) => `#define ${name}\n`).join("");
  const material = features.includes("MATERIAL") ? MATERIAL : "";
  const fragment = `#version 300 es\nprecision highp float;\n${defines}${SAMPLING}${TONE}${material}${MAIN}`;
  const program = gl.createProgram();
  gl.attachShader(program, compiled(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compiled(gl, gl.FRAGMENT_SHADER, fragment));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(program));
  const places = {};
  const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS) ?? 0;
  for (let i = 0; i < count; i++) {
    const { name } = gl.getActiveUniform(program, i);
    places[name] = gl.getUniformLocation(program, name);
  }
  return { program, places };
}
