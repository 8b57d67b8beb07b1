import cells from './plugins/cells';
import panel from './plugins/panel';
import project from './plugins/project';

export default [project, panel, cells];
