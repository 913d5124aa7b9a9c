// What the back office can do more where scripts run. Every page is complete without them.

import "./confirming.js";
import "./keyboard.js";
import "./lists.js";
import "./palette.js";
import "./scheme.js";
